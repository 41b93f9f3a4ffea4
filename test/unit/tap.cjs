// What the scripts that read our files back share: results in TAP, and the
// samples to read.
'use strict';

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const root = process.env.ROOT ?? path.resolve(__dirname, '../..');
const build = process.env.BUILD ?? path.join(root, 'build/unit');

let checks = 0;
let failures = 0;

function ok(passed, name, detail) {
  checks++;
  console.log(`${passed ? '' : 'not '}ok ${checks} - ${name}`);
  if (!passed) {
    failures++;
    if (detail !== undefined) console.log(`# ${detail}`);
  }
}

// Write all samples into the folder.
function writeSamples(folder, format, codec, ...options) {
  for (const program of ['format_samples', 'nested_samples'])
    execFileSync(path.join(build, program), [folder, format, codec, ...options]);
}

// Run the checks, then say how many there were.
async function run(main) {
  try {
    await main();
    console.log(`1..${checks}`);
    process.exitCode = failures === 0 ? 0 : 1;
  } catch (error) {
    console.log(`Bail out!  ${error.stack}`);
    process.exitCode = 1;
  }
}

module.exports = { root, build, ok, writeSamples, run };
