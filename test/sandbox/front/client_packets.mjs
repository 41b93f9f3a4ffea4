/*
 * client_packets.mjs: what a client may send, at revisions 54406 to 54451.
 *
 * Strict: a field that a real server would take for something else is an
 * error here, so that a client's mistake is seen where it is made.  Source of
 * truth: bytehouse facts 1.3, 1.5, 1.6 and 1.7.
 */
import { readBlock } from './columns.mjs';
import { CODE, protocolError } from './errors.mjs';

export const MIN_REVISION = 54406;
export const SERVER_REVISION = 54451;

const REVISION_STRING_SETTINGS = 54429;
const REVISION_INTERSERVER_SECRET = 54441;
const REVISION_TRACING = 54442;
const REVISION_DISTRIBUTED_DEPTH = 54448;
const REVISION_START_TIME = 54449;

const INITIAL_QUERY = 1;
const INTERFACE_TCP = 1;
const STAGE_COMPLETE = 2;
const KNOWN_FLAGS = 3;

/*
 * Before settings were strings, their values travelled by type, so a server
 * had to know each.  These are the ones a client of those days may send here.
 */
const TYPED_SETTINGS = {
  virtual_warehouse: 'string',
  s3_access_key_id: 'string',
  s3_access_key_secret: 'string',
  send_logs_level: 'string',
  connect_timeout: 'number',
  extremes: 'number',
  interactive_delay: 'number',
  max_block_size: 'number',
  max_execution_time: 'number',
  max_insert_threads: 'number',
  max_memory_usage: 'number',
  max_partitions_per_insert_block: 'number',
  max_query_size: 'number',
  max_threads: 'number',
  receive_timeout: 'number',
  send_timeout: 'number',
  skip_history: 'number',
};

export function readHello(reader) {
  const type = reader.varuint();
  if (type !== 0) {
    throw protocolError(CODE.UNEXPECTED_PACKET,
      `Unexpected packet from client: expected Hello, got ${type}`);
  }
  return {
    clientName: reader.string(),
    versionMajor: reader.varuint(),
    versionMinor: reader.varuint(),
    revision: reader.varuint(),
    database: reader.string(),
    user: reader.string(),
    password: reader.string(),
  };
}

function readTracing(reader) {
  const present = reader.u8();
  if (present > 1) {
    throw protocolError(CODE.UNEXPECTED_PACKET,
      'the tracing byte of the client info is neither 0 nor 1');
  }
  if (present === 1) {
    reader.skip(16 + 8);
    reader.skipString();
    reader.u8();
  }
}

function readClientInfo(reader, session) {
  const { revision } = session;
  const kind = reader.u8();
  if (kind !== INITIAL_QUERY) {
    throw protocolError(CODE.UNEXPECTED_PACKET,
      `query kind ${kind} in the client info: expected 1, an initial query`);
  }
  reader.skipString();
  reader.skipString();
  const initialAddress = reader.string();
  if (!/^.+:\d{1,5}$/.test(initialAddress)) {
    throw protocolError(CODE.POCO_EXCEPTION,
      `initial address "${initialAddress}" is not host:port`);
  }
  if (revision >= REVISION_START_TIME) {
    reader.skip(8);
  }
  if (reader.u8() !== INTERFACE_TCP) {
    throw protocolError(CODE.UNEXPECTED_PACKET,
      'the interface in the client info is not TCP');
  }
  const info = {
    osUser: reader.string(),
    hostname: reader.string(),
    clientName: reader.string(),
    versionMajor: reader.varuint(),
    versionMinor: reader.varuint(),
    clientRevision: reader.varuint(),
  };
  if (info.clientRevision !== session.announcedRevision &&
      info.clientRevision !== revision) {
    throw protocolError(CODE.UNEXPECTED_PACKET,
      `revision ${info.clientRevision} in the client info is not the Hello's`);
  }
  reader.skipString();
  if (revision >= REVISION_DISTRIBUTED_DEPTH && reader.varuint() !== 0) {
    throw protocolError(CODE.UNEXPECTED_PACKET,
      'an initial query has distributed depth 0');
  }
  info.versionPatch = reader.varuint();
  if (revision >= REVISION_TRACING) {
    readTracing(reader);
  }
  return info;
}

function readStringSetting(reader, name) {
  const flags = reader.varuint();
  if (flags > KNOWN_FLAGS) {
    throw protocolError(CODE.UNEXPECTED_PACKET,
      `setting "${name}" has flags ${flags}`);
  }
  return { name, important: (flags & 1) !== 0, value: reader.string() };
}

function readTypedSetting(reader, name) {
  const type = TYPED_SETTINGS[name];
  if (type === undefined) {
    throw protocolError(CODE.UNKNOWN_SETTING, `Unknown setting ${name}`);
  }
  const value = type === 'string' ? reader.string() : String(reader.varuint());
  return { name, important: true, value };
}

function readSettings(reader, revision) {
  const settings = [];
  for (let name = reader.string(); name !== ''; name = reader.string()) {
    if (!/^[A-Za-z_][\w.]*$/.test(name)) {
      throw protocolError(CODE.UNEXPECTED_PACKET,
        'what stands in the place of a setting is no name');
    }
    settings.push(revision >= REVISION_STRING_SETTINGS
      ? readStringSetting(reader, name) : readTypedSetting(reader, name));
  }
  return settings;
}

function readQuery(reader, session) {
  const packet = { type: 'query', queryId: reader.string() };
  packet.info = readClientInfo(reader, session);
  packet.settings = readSettings(reader, session.revision);
  if (session.revision >= REVISION_INTERSERVER_SECRET &&
      reader.string() !== '') {
    throw protocolError(CODE.UNEXPECTED_PACKET,
      'a client has no interserver secret');
  }
  const stage = reader.varuint();
  if (stage !== STAGE_COMPLETE) {
    throw protocolError(CODE.UNEXPECTED_PACKET,
      `query stage ${stage}: expected 2, complete`);
  }
  packet.compression = reader.varuint();
  if (packet.compression > 1) {
    throw protocolError(CODE.UNEXPECTED_PACKET,
      `compression ${packet.compression} is neither 0 nor 1`);
  }
  packet.text = reader.string();
  return packet;
}

function readData(reader) {
  const name = reader.string();
  return { type: 'data', name, ...readBlock(reader) };
}

/* After the Hello; session has revision and announcedRevision. */
export function readClientPacket(reader, session) {
  const type = reader.varuint();
  switch (type) {
    case 0:
      throw protocolError(CODE.UNEXPECTED_PACKET,
        'Unexpected packet Hello received from client');
    case 1:
      return readQuery(reader, session);
    case 2:
      return readData(reader);
    case 3:
      return { type: 'cancel' };
    case 4:
      return { type: 'ping' };
    default:
      throw protocolError(CODE.UNKNOWN_PACKET,
        `Unknown packet ${type} from client`);
  }
}
