/*-------------------------------------------------------------------------
 *
 * sw_ch_packet.h
 *	  Numbers of the ClickHouse native protocol, and our limits on it.
 *
 * A packet is a varuint type and fields; nothing frames it, so one field
 * read wrongly spoils all that follows.  What the fields are depends on the
 * revision, the smaller one of what both sides announced.
 *
 * Source of truth: ClickHouse src/Core/ProtocolDefines.h and Protocol.h,
 * and the same files of ByConity, whose numbers agree up to 54449.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CH_PACKET_H
#define SW_CH_PACKET_H

/*
 * The revision we announce: the newest at which ClickHouse and ByteHouse
 * lay out every packet alike.  From 54450 on, packet types 14 and 15 mean
 * different things in the two.
 */
#define SW_CH_REVISION					54448

/* The revision from which on a field exists or changes. */
#define SW_CH_REV_SERVER_TIMEZONE		54058
#define SW_CH_REV_QUOTA_KEY				54060
#define SW_CH_REV_CLIENT_INFO			54032
#define SW_CH_REV_DISPLAY_NAME			54372
#define SW_CH_REV_VERSION_PATCH			54401
#define SW_CH_REV_WRITTEN_ROWS			54420
#define SW_CH_REV_SETTINGS_AS_STRINGS	54429
#define SW_CH_REV_INTERSERVER_SECRET	54441
#define SW_CH_REV_OPENTELEMETRY			54442
#define SW_CH_REV_DISTRIBUTED_DEPTH		54448

/* What we call ourselves. */
#define SW_CH_CLIENT_NAME				"sensorswave_export"
#define SW_CH_CLIENT_VERSION_MAJOR		1
#define SW_CH_CLIENT_VERSION_MINOR		0
#define SW_CH_CLIENT_VERSION_PATCH		0

/* Packet types, client to server. */
#define SW_CH_CLIENT_HELLO				0
#define SW_CH_CLIENT_QUERY				1
#define SW_CH_CLIENT_DATA				2
#define SW_CH_CLIENT_CANCEL				3
#define SW_CH_CLIENT_PING				4

/* Packet types, server to client. */
#define SW_CH_SERVER_HELLO				0
#define SW_CH_SERVER_DATA				1
#define SW_CH_SERVER_EXCEPTION			2
#define SW_CH_SERVER_PROGRESS			3
#define SW_CH_SERVER_PONG				4
#define SW_CH_SERVER_END_OF_STREAM		5
#define SW_CH_SERVER_PROFILE_INFO		6
#define SW_CH_SERVER_TOTALS				7
#define SW_CH_SERVER_EXTREMES			8
#define SW_CH_SERVER_LOG				10
#define SW_CH_SERVER_TABLE_COLUMNS		11
/* Only gateways of ByteHouse send it to us: one string, the query id. */
#define SW_CH_SERVER_QUERY_METADATA		14

/* Fields of the Query packet. */
#define SW_CH_QUERY_KIND_INITIAL		1
#define SW_CH_INTERFACE_TCP				1
#define SW_CH_STAGE_COMPLETE			2
#define SW_CH_COMPRESSION_OFF			0

/* The fields of block info, and the number that ends them. */
#define SW_CH_BLOCK_INFO_END			0
#define SW_CH_BLOCK_INFO_OVERFLOWS		1
#define SW_CH_BLOCK_INFO_BUCKET			2

/*
 * Limits on what a peer may send.  A length beyond its limit is refused
 * when it is read, before anything is allocated for it.
 */
#define SW_CH_MAX_DATA_STRING_BYTES		(16 * 1024 * 1024)
#define SW_CH_MAX_NAME_BYTES			(64 * 1024)
/* Exceptions quote statements and carry stack traces. */
#define SW_CH_MAX_EXCEPTION_TEXT_BYTES	(1024 * 1024)
#define SW_CH_MAX_EXCEPTION_DEPTH		16
#define SW_CH_MAX_COLUMNS				4096
#define SW_CH_MAX_ROWS					1000000
/* Names, types, values and our own overhead, of one block. */
#define SW_CH_MAX_BLOCK_BYTES			(64 * 1024 * 1024)
/* A packet other than a block: the parts of it that must be held. */
#define SW_CH_MAX_PACKET_BYTES			(4 * 1024 * 1024)

#endif							/* SW_CH_PACKET_H */
