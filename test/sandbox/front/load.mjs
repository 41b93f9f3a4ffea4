/*
 * load.mjs: INSERT INTO and INSERT OVERWRITE as one transaction.
 *
 * ClickHouse shows an INSERT's rows block by block; ByteHouse shows them all
 * at once or never, and can replace partitions in the same breath.  So the
 * rows go into an empty stage table first.  Then, under the table's lock, a
 * second stage table is made of the target's parts (hard links) without those
 * replaced, plus the new rows; and one EXCHANGE TABLES puts it in the target's
 * place.  That last step is atomic for readers and for a crash.  What fails or
 * is cancelled before it leaves the target as it was; the stages of a crash
 * are dropped at the front's next start.
 *
 * Rows outside of the partitions named are staged but not taken over.
 */
import { FRONT_DATABASE } from './catalog.mjs';
import { CODE, notPlayed, Refusal } from './errors.mjs';
import { quoteName } from './tokens.mjs';

function stageName(stage) {
  return `${FRONT_DATABASE}.${stage}`;
}

/* Moves what was staged into place; returns the number of rows taken over. */
async function commit(world, target, insert, stage) {
  const { control, catalog } = world;
  const targetName = `${quoteName(target.database)}.${quoteName(target.name)}`;
  const next = await catalog.makeStage(target.database, target.name);
  try {
    const alter = (what) =>
      control.run(`ALTER TABLE ${stageName(next)} ${what}`);
    const replacesAll = insert.overwrite && insert.partitions === null;
    if (!replacesAll) {
      await alter(`ATTACH PARTITION ALL FROM ${targetName}`);
    }
    if (insert.partitions !== null) {
      await alter(insert.partitions
        .map((partition) => `DROP PARTITION ${partition}`).join(', '));
    }
    const kept = await catalog.countRows(next);
    for (const partition of insert.partitions ?? ['ALL']) {
      await alter(`ATTACH PARTITION ${partition} FROM ${stageName(stage)}`);
    }
    const rows = await catalog.countRows(next) - kept;
    await control.run(`EXCHANGE TABLES ${stageName(next)} AND ${targetName}`);
    return rows;
  } finally {
    await catalog.dropStage(next);
  }
}

/* A partition that the table can't have is told of before any work. */
async function checkPartitions(world, insert, stage) {
  if (insert.partitions !== null) {
    await world.control.run(`ALTER TABLE ${stageName(stage)} ` +
      insert.partitions.map((p) => `DROP PARTITION ${p}`).join(', '));
  }
}

/*
 * Runs a plan of kind load for an execution, which runs statements upstream
 * and knows whether the client has cancelled.
 */
export async function runLoad(world, execution, plan, target) {
  const { insert } = plan;
  const found = await world.catalog.findTable(target.database, target.name);
  if (found.engine === null) {
    throw new Refusal(CODE.UNKNOWN_TABLE,
      `Table ${target.database}.${target.name} doesn't exist`);
  }
  if (found.ddl === null) {
    throw notPlayed(`INSERT into a table of engine ${found.engine}`);
  }

  const stage = await world.catalog.makeStage(target.database, target.name);
  execution.rename(stageName(stage), `${target.database}.${target.name}`);
  try {
    await checkPartitions(world, insert, stage);
    execution.checkCancelled();
    const holdsBack = insert.partitions !== null;
    await execution.runUpstream(
      `INSERT INTO ${stageName(stage)} ${insert.columns} ${plan.sql}`,
      { holdsBackWritten: holdsBack, acceptsData: insert.sendsData });
    const staged = await world.catalog.countRows(stage);
    let rows = staged;
    await world.locks.hold(`${target.database}.${target.name}`, () => {
      execution.checkCancelled();
      if (staged === 0 && !insert.overwrite) {
        return undefined;
      }
      return world.commits.track(commit(world, target, insert, stage)
        .then((taken) => { rows = taken; }));
    });
    if (holdsBack) {
      execution.releaseWritten(rows);
    }
  } finally {
    await world.catalog.dropStage(stage).catch(() => {});
  }
}
