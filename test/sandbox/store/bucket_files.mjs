/*
 * bucket_files.mjs: the files with the bodies of one bucket.  A body is a list
 * of segments { file, size }, one for an object put at once, one for each part
 * of a multipart upload; file is null where the bytes were not kept.  A file
 * that is being read is deleted when its last reader is done.
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const READ_SIZE = 256 * 1024;

export function openBucketFiles(dir) {
  const n_readers = new Map();
  const doomed = new Set();

  mkdirSync(dir, { recursive: true });

  function unlink(file) {
    if (n_readers.has(file))
      doomed.add(file);
    else
      rmSync(join(dir, file));
  }

  function hold(file) {
    n_readers.set(file, (n_readers.get(file) ?? 0) + 1);
  }

  function release(file) {
    const left = n_readers.get(file) - 1;

    if (left > 0) {
      n_readers.set(file, left);
      return;
    }
    n_readers.delete(file);
    if (doomed.delete(file))
      rmSync(join(dir, file));
  }

  async function *readFile({ file }, first, length) {
    const handle = await open(join(dir, file), 'r');
    let position = first;
    let left = length;

    try {
      while (left > 0) {
        const buffer = Buffer.allocUnsafe(Math.min(READ_SIZE, left));
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);

        if (bytesRead === 0)
          throw new Error(`the file ${file} is too short`);
        position += bytesRead;
        left -= bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }

  return {
    /* Make a received body (bodies.mjs) a segment of this bucket. */
    adopt(received) {
      if (received.path !== null)
        renameSync(received.path, join(dir, received.file));
      return { file: received.file, size: received.size };
    },

    remove(segments) {
      segments.filter(({ file }) => file !== null).forEach(({ file }) => unlink(file));
    },

    /* Remove every file that is not in the Set `named`. */
    sweep(named) {
      for (const file of readdirSync(dir))
        if (!named.has(file))
          rmSync(join(dir, file));
    },

    /*
     * Open segments for reading: until close they stay, whatever happens to
     * the objects they belong to.
     */
    open(segments) {
      const held = segments.map(({ file }) => file).filter((file) => file !== null);

      held.forEach(hold);
      return {
        /* `length` bytes from `first` on, in chunks */
        async *read(first, length) {
          let skip = first;
          let left = length;

          for (const segment of segments) {
            const taken = Math.max(0, Math.min(segment.size - skip, left));

            if (taken > 0)
              yield *readFile(segment, skip, taken);
            skip = Math.max(0, skip - segment.size);
            left -= taken;
          }
        },
        close: () => held.forEach(release),
      };
    },
  };
}
