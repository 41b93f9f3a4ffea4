/*
 * server_packets.mjs: what a server sends; read from ClickHouse at revision
 * 54448, written to a client at the client's revision.
 *
 * Blocks have one layout over all revisions played here, so Data, Totals,
 * Extremes, Log and TableColumns packets are forwarded as they came.  Source
 * of truth: bytehouse facts 1.5, 1.9, 1.10 and 1.11.
 */
import { readBlock } from './columns.mjs';
import { WireError, Writer } from './wire.mjs';

export const UPSTREAM_REVISION = 54448;

const REVISION_TABLE_COLUMNS = 54410;
const REVISION_WRITTEN_ROWS = 54420;

const NAMES = {
  0: 'hello', 1: 'data', 2: 'exception', 3: 'progress', 4: 'pong',
  5: 'endOfStream', 6: 'profileInfo', 7: 'totals', 8: 'extremes', 10: 'log',
  11: 'tableColumns',
};

function readHelloBody(reader) {
  return {
    serverName: reader.string(),
    versionMajor: reader.varuint(),
    versionMinor: reader.varuint(),
    revision: reader.varuint(),
    timezone: reader.string(),
    displayName: reader.string(),
    versionPatch: reader.varuint(),
  };
}

function readException(reader) {
  const exception = {
    code: reader.i32(),
    name: reader.string(),
    message: reader.string(),
  };
  reader.skipString();
  if (reader.bool()) {
    exception.nested = readException(reader);
  }
  return exception;
}

function readProgress(reader) {
  return {
    readRows: reader.varuint(),
    readBytes: reader.varuint(),
    totalRows: reader.varuint(),
    writtenRows: reader.varuint(),
    writtenBytes: reader.varuint(),
  };
}

function readProfileInfo(reader) {
  for (let i = 0; i < 3; i++) {
    reader.varuint();
  }
  reader.bool();
  reader.varuint();
  reader.bool();
}

function readNamedBlock(reader) {
  reader.skipString();
  return readBlock(reader);
}

/* One packet from ClickHouse, at UPSTREAM_REVISION. */
export function readServerPacket(reader) {
  const number = reader.varuint();
  const type = NAMES[number];
  switch (type) {
    case 'hello':
      return { type, ...readHelloBody(reader) };
    case 'data':
    case 'totals':
    case 'extremes':
    case 'log':
      return { type, ...readNamedBlock(reader) };
    case 'exception':
      return { type, ...readException(reader) };
    case 'progress':
      return { type, ...readProgress(reader) };
    case 'profileInfo':
      readProfileInfo(reader);
      return { type };
    case 'tableColumns':
      reader.skipString();
      reader.skipString();
      return { type };
    case 'pong':
    case 'endOfStream':
      return { type };
    default:
      throw new WireError(`unknown packet ${number} from the server`);
  }
}

export function hasTableColumns(revision) {
  return revision >= REVISION_TABLE_COLUMNS;
}

/* All revisions played are past the last one that changed the Hello. */
export function writeHello(hello) {
  return new Writer().varuint(0).string(hello.serverName)
    .varuint(hello.versionMajor).varuint(hello.versionMinor)
    .varuint(hello.revision).string(hello.timezone)
    .string(hello.displayName).varuint(hello.versionPatch).finish();
}

export function writeException(code, message) {
  return new Writer().varuint(2).i32(code).string('DB::Exception')
    .string(`DB::Exception: ${message}`).string('').u8(0).finish();
}

export function writeProgress(progress, revision) {
  const writer = new Writer().varuint(3).varuint(progress.readRows)
    .varuint(progress.readBytes).varuint(progress.totalRows);
  if (revision >= REVISION_WRITTEN_ROWS) {
    writer.varuint(progress.writtenRows).varuint(progress.writtenBytes);
  }
  return writer.finish();
}

export function writePong() {
  return new Writer().varuint(4).finish();
}

export function writeEndOfStream() {
  return new Writer().varuint(5).finish();
}
