/*
 * objects.mjs: the buckets on disk, and the objects in them.
 *
 *   <dataDir>/incoming/<id>              bodies being received
 *   <dataDir>/<bucket>/data/<id>         bodies of objects and of parts
 *   <dataDir>/<bucket>/meta/<name>       one JSON file per object; the name is
 *                                        the SHA-256 of the key
 *   <dataDir>/<bucket>/uploads/<id>/...  unfinished uploads, see uploads.mjs
 *
 * An object exists when its meta file does; renaming that file is the commit.
 * Bodies that nothing names are removed at start.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { openBodies } from './bodies.mjs';
import { openBucketFiles } from './bucket_files.mjs';
import { refusal } from './errors.mjs';
import { openUploads } from './uploads.mjs';

function metaName(key) {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

/* Write a JSON file so that it is there whole or not at all. */
function createWriter(draftDir) {
  return function writeJson(path, value) {
    const draft = join(draftDir, `${randomBytes(12).toString('hex')}.json`);

    writeFileSync(draft, JSON.stringify(value), { mode: 0o600 });
    renameSync(draft, path);
  };
}

function loadObjects(metaDir) {
  const objects = new Map();

  mkdirSync(metaDir, { recursive: true });
  for (const file of readdirSync(metaDir)) {
    const meta = JSON.parse(readFileSync(join(metaDir, file), 'utf8'));

    objects.set(meta.key, meta);
  }
  return objects;
}

export function openObjects(dataDir, bucketNames) {
  const bodies = openBodies(join(dataDir, 'incoming'));
  const writeJson = createWriter(bodies.dir);
  const buckets = new Map(bucketNames.map((name) => [name, loadBucket(join(dataDir, name))]));

  function loadBucket(dir) {
    const metaDir = join(dir, 'meta');
    const files = openBucketFiles(join(dir, 'data'));
    const objects = loadObjects(metaDir);
    const finished = new Set([...objects.values()].map(({ uploadId }) => uploadId));
    const uploads = openUploads({ dir: join(dir, 'uploads'), files, writeJson, finished });
    const segments = [...objects.values()].flatMap((meta) => meta.segments);

    files.sweep(new Set([...segments, ...uploads.segments()].map(({ file }) => file)));
    return { metaDir, files, objects, uploads };
  }

  function bucketOf(name) {
    const bucket = buckets.get(name);

    if (bucket === undefined)
      throw refusal('NoSuchBucket', 'The bucket does not exist.');
    return bucket;
  }

  return {
    bodies,

    checkBucket(name) {
      bucketOf(name);
    },

    uploads(bucketName) {
      return bucketOf(bucketName).uploads;
    },

    /*
     * Make an object of segments that are in the bucket's files: content is
     * { segments, etag, crc64, uploadId, headers }; headers are those to be
     * given back with the object, lower-case names.
     */
    commit(bucketName, key, content) {
      const { metaDir, files, objects } = bucketOf(bucketName);
      const old = objects.get(key);
      const meta = {
        key,
        size: content.segments.reduce((sum, { size }) => sum + size, 0),
        modified: new Date().toISOString(),
        ...content,
      };

      writeJson(join(metaDir, metaName(key)), meta);
      objects.set(key, meta);
      if (old !== undefined)
        files.remove(old.segments);
      return meta;
    },

    /* Make an object of a received body. */
    put(bucketName, key, received, headers) {
      const segments = [bucketOf(bucketName).files.adopt(received)];
      const { etag, crc64 } = received;

      return this.commit(bucketName, key, { segments, etag, crc64, uploadId: null, headers });
    },

    /* The object's description, or undefined. */
    find(bucketName, key) {
      return bucketOf(bucketName).objects.get(key);
    },

    /*
     * Open an object for reading. Called in the same turn as find, it gets
     * the object found, whatever happens to the key afterwards.
     */
    open(bucketName, meta) {
      return bucketOf(bucketName).files.open(meta.segments);
    },

    remove(bucketName, key) {
      const { metaDir, files, objects } = bucketOf(bucketName);
      const meta = objects.get(key);

      if (meta === undefined)
        return;
      rmSync(join(metaDir, metaName(key)));
      objects.delete(key);
      files.remove(meta.segments);
    },

    all(bucketName) {
      return [...bucketOf(bucketName).objects.values()];
    },

    /* For tests: what there is, in all buckets. */
    everything() {
      return [...buckets].flatMap(([bucket, { objects }]) =>
        [...objects.values()].map(({ key, size, etag, crc64, modified, segments }) => ({
          bucket, key, size, etag, crc64, modified, n_segments: segments.length,
          kept: segments.every(({ file }) => file !== null),
        })));
    },

    unfinished() {
      return [...buckets].flatMap(([bucket, { uploads }]) =>
        uploads.everything().map((upload) => ({ bucket, ...upload })));
    },

    /* Remove all objects and uploads of all buckets. */
    clear() {
      for (const [name, { objects, uploads }] of buckets) {
        [...objects.keys()].forEach((key) => this.remove(name, key));
        uploads.clear();
      }
    },
  };
}
