/*
 * objects.mjs: the objects on disk.
 *
 *   <dataDir>/incoming/<id>          bodies being received
 *   <dataDir>/<bucket>/data/<id>     bodies of objects
 *   <dataDir>/<bucket>/meta/<name>   one JSON file per object; the name is the
 *                                    SHA-256 of the key
 *
 * An object exists when its meta file does; renaming that file is the commit.
 * Bodies that no meta file names are removed at start. Receiving a body and
 * making an object of it are two steps, so a body can also become a part of
 * something else.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync, mkdirSync, openSync, read, readFileSync, readdirSync, renameSync, rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Crc64 } from './crc64.mjs';
import { refusal } from './errors.mjs';

const READ_SIZE = 256 * 1024;

const readFrom = promisify(read);

function metaName(key) {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

export function openObjects(dataDir, bucketNames) {
  const incomingDir = join(dataDir, 'incoming');
  const buckets = new Map();

  rmSync(incomingDir, { recursive: true, force: true });
  mkdirSync(incomingDir, { recursive: true });
  for (const name of bucketNames)
    buckets.set(name, loadBucket(join(dataDir, name)));

  function loadBucket(dir) {
    const bucket = { dataDir: join(dir, 'data'), metaDir: join(dir, 'meta'), objects: new Map() };
    const named = new Set();

    mkdirSync(bucket.dataDir, { recursive: true });
    mkdirSync(bucket.metaDir, { recursive: true });
    for (const file of readdirSync(bucket.metaDir)) {
      const meta = JSON.parse(readFileSync(join(bucket.metaDir, file), 'utf8'));

      bucket.objects.set(meta.key, meta);
      named.add(meta.file);
    }
    for (const file of readdirSync(bucket.dataDir))
      if (!named.has(file))
        rmSync(join(bucket.dataDir, file));
    return bucket;
  }

  function bucketOf(name) {
    const bucket = buckets.get(name);

    if (bucket === undefined)
      throw refusal('NoSuchBucket', 'The bucket does not exist.');
    return bucket;
  }

  return {
    checkBucket(name) {
      bucketOf(name);
    },

    /*
     * Take in a body from a source of chunks; sha256 is computed on wish.
     * The result belongs to the caller, who hands it to commit or discard.
     */
    async receive(source, { wantSha256 }) {
      const file = randomBytes(12).toString('hex');
      const path = join(incomingDir, file);
      const handle = await open(path, 'wx', 0o600);
      const md5 = createHash('md5');
      const sha256 = wantSha256 ? createHash('sha256') : null;
      const crc64 = new Crc64();
      let size = 0;
      let writing = Promise.resolve();

      try {
        /* a chunk is written while it and the next one are hashed */
        for await (const chunk of source) {
          await writing;
          writing = handle.writeFile(chunk);
          writing.catch(() => {});
          md5.update(chunk);
          sha256?.update(chunk);
          crc64.update(chunk);
          size += chunk.length;
        }
        await writing;
      } catch (error) {
        await writing.catch(() => {});
        rmSync(path);
        throw error;
      } finally {
        await handle.close();
      }
      return {
        file,
        path,
        size,
        md5: md5.digest(),
        sha256: sha256?.digest('hex') ?? null,
        crc64: crc64.decimal(),
      };
    },

    discard(received) {
      rmSync(received.path, { force: true });
    },

    /* headers: those to be given back with the object, lower-case names */
    commit(bucketName, key, received, headers) {
      const bucket = bucketOf(bucketName);
      const old = bucket.objects.get(key);
      const meta = {
        key,
        file: received.file,
        size: received.size,
        etag: `"${received.md5.toString('hex')}"`,
        crc64: received.crc64,
        modified: new Date().toISOString(),
        headers,
      };
      const draft = join(incomingDir, received.file + '.meta');

      writeFileSync(draft, JSON.stringify(meta), { mode: 0o600 });
      renameSync(received.path, join(bucket.dataDir, received.file));
      renameSync(draft, join(bucket.metaDir, metaName(key)));
      bucket.objects.set(key, meta);
      if (old !== undefined)
        rmSync(join(bucket.dataDir, old.file));
      return meta;
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
      const fd = openSync(join(bucketOf(bucketName).dataDir, meta.file), 'r');

      return {
        /* `length` bytes from `first` on, in chunks */
        async *read(first, length) {
          let position = first;
          let left = length;

          while (left > 0) {
            const buffer = Buffer.allocUnsafe(Math.min(READ_SIZE, left));
            const { bytesRead } = await readFrom(fd, buffer, 0, buffer.length, position);

            if (bytesRead === 0)
              throw new Error(`the file of object ${meta.key} is too short`);
            position += bytesRead;
            left -= bytesRead;
            yield buffer.subarray(0, bytesRead);
          }
        },
        close: () => closeSync(fd),
      };
    },

    remove(bucketName, key) {
      const bucket = bucketOf(bucketName);
      const meta = bucket.objects.get(key);

      if (meta === undefined)
        return;
      rmSync(join(bucket.metaDir, metaName(key)));
      bucket.objects.delete(key);
      rmSync(join(bucket.dataDir, meta.file));
    },

    all(bucketName) {
      return [...bucketOf(bucketName).objects.values()];
    },

    everything() {
      return [...buckets].flatMap(([bucket, { objects }]) =>
        [...objects.values()].map(({ key, size, etag, crc64, modified }) =>
          ({ bucket, key, size, etag, crc64, modified })));
    },
  };
}
