/*-------------------------------------------------------------------------
 *
 * sw_capture_pack.c
 *	  Captures as bytes.
 *
 *	  version byte, 1
 *	  flags byte: 1 = is_cut
 *	  xmin, xmax - xmin, next - xmin
 *	  position, oldest_position
 *	  number of runs of pending ids; of each the gap since the end of the one
 *		before (the first: since xmin), and its length
 *	  number of actives; of each slot + 2, number, and 0 for a since that is
 *		not known, else 1 + (captured_at - since)
 *	  number of leaves; of each the gap since the one before, and its file
 *	  number of rewrites; of each the leaf and the id
 *
 * Numbers are varuints.  Subtransactions have ids in a row more often than
 * not, so a transaction of a million of them takes few bytes.
 *
 * Contract: sw_capture.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/sw_bytes.h"
#include "port/sw_compat.h"
#include "source/sw_capture.h"

#define VERSION 1
#define FLAG_IS_CUT 1
#define LOWEST_SLOT (-2)

/* Ids are far below; so sums of two do not overflow. */
#define XID_MAX (UINT64CONST(1) << 62)

static void
pack_transactions(SwBuffer *buffer, const SwCapture *capture)
{
	uint64		end = capture->xmin;
	uint32		i;

	sw_buffer_append_varuint(buffer, capture->xmin);
	sw_buffer_append_varuint(buffer, capture->xmax - capture->xmin);
	sw_buffer_append_varuint(buffer, capture->next - capture->xmin);
	sw_buffer_append_varuint(buffer, capture->position);
	sw_buffer_append_varuint(buffer, capture->oldest_position);
	sw_buffer_append_varuint(buffer, capture->n_pending);
	for (i = 0; i < capture->n_pending; i++)
	{
		const SwXidRun *run = &capture->pending[i];

		sw_buffer_append_varuint(buffer, run->first - end);
		sw_buffer_append_varuint(buffer, run->end - run->first);
		end = run->end;
	}
}

static void
pack_actives(SwBuffer *buffer, const SwCapture *capture)
{
	uint32		i;

	sw_buffer_append_varuint(buffer, capture->n_actives);
	for (i = 0; i < capture->n_actives; i++)
	{
		const SwActive *active = &capture->actives[i];

		sw_buffer_append_varuint(buffer, active->slot - LOWEST_SLOT);
		sw_buffer_append_varuint(buffer, active->number);
		sw_buffer_append_varuint(buffer, TIMESTAMP_IS_NOBEGIN(active->since) ?
								 0 : 1 + (uint64) (capture->captured_at -
												   active->since));
	}
}

static void
pack_leaves(SwBuffer *buffer, const SwCapture *capture)
{
	Oid			previous = InvalidOid;
	uint32		i;

	sw_buffer_append_varuint(buffer, capture->n_leaves);
	for (i = 0; i < capture->n_leaves; i++)
	{
		sw_buffer_append_varuint(buffer, capture->leaves[i].relid - previous);
		sw_buffer_append_varuint(buffer, capture->leaves[i].file);
		previous = capture->leaves[i].relid;
	}
	sw_buffer_append_varuint(buffer, capture->n_rewrites);
	for (i = 0; i < capture->n_rewrites; i++)
	{
		sw_buffer_append_varuint(buffer, capture->rewrites[i].relid);
		sw_buffer_append_varuint(buffer, capture->rewrites[i].xid);
	}
}

struct varlena *
sw_capture_pack(const SwCapture *capture)
{
	SwBuffer	buffer;
	struct varlena *content;

	sw_buffer_init(&buffer);
	sw_buffer_append_uint8(&buffer, VERSION);
	sw_buffer_append_uint8(&buffer, capture->is_cut ? FLAG_IS_CUT : 0);
	pack_transactions(&buffer, capture);
	pack_actives(&buffer, capture);
	pack_leaves(&buffer, capture);

	if (buffer.len > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many transactions are in progress"),
				 errdetail("Their list takes %zu bytes.", buffer.len)));
	content = palloc(VARHDRSZ + buffer.len);
	SET_VARSIZE(content, VARHDRSZ + buffer.len);
	memcpy(VARDATA(content), buffer.data, buffer.len);
	sw_buffer_free(&buffer);
	return content;
}

SW_NORETURN static void
refuse(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("saved capture is damaged")));
}

/* A number of at most max. */
static uint64
read_number(SwReader *reader, uint64 max)
{
	uint64		number;

	if (sw_reader_read_varuint(reader, &number) != SW_READ_OK || number > max)
		refuse();
	return number;
}

/* How many entries follow, which take so many bytes each at the least. */
static uint32
read_count(SwReader *reader, Size entry_bytes)
{
	return (uint32) read_number(reader, Min(sw_reader_remaining(reader) / entry_bytes,
											PG_UINT32_MAX));
}

static void *
allocate(uint32 n, Size entry_bytes)
{
	return n == 0 ? NULL :
		MemoryContextAllocHuge(CurrentMemoryContext, n * entry_bytes);
}

static void
unpack_transactions(SwReader *reader, SwCapture *capture)
{
	uint64		end;
	uint32		i;

	capture->xmin = read_number(reader, XID_MAX);
	capture->xmax = capture->xmin + read_number(reader, XID_MAX);
	capture->next = capture->xmin + read_number(reader, XID_MAX);
	capture->position = read_number(reader, PG_UINT64_MAX);
	capture->oldest_position = read_number(reader, PG_UINT64_MAX);
	capture->n_pending = read_count(reader, 2);
	capture->pending = allocate(capture->n_pending, sizeof(SwXidRun));
	end = capture->xmin;
	for (i = 0; i < capture->n_pending; i++)
	{
		SwXidRun   *run = &capture->pending[i];

		run->first = end + read_number(reader, capture->xmax - end);
		run->end = run->first + read_number(reader, capture->xmax - run->first);
		if (run->end == run->first || (i > 0 && run->first == end))
			refuse();
		end = run->end;
	}
}

static void
unpack_actives(SwReader *reader, SwCapture *capture)
{
	uint64		age_max = (uint64) capture->captured_at - (uint64) MIN_TIMESTAMP;
	uint32		i;

	capture->n_actives = read_count(reader, 3);
	capture->actives = allocate(capture->n_actives, sizeof(SwActive));
	for (i = 0; i < capture->n_actives; i++)
	{
		SwActive   *active = &capture->actives[i];
		uint64		age_us;

		active->slot = (int32) read_number(reader, PG_INT32_MAX) + LOWEST_SLOT;
		active->number = (uint32) read_number(reader, PG_UINT32_MAX);
		age_us = read_number(reader, age_max);
		active->since = age_us == 0 ? DT_NOBEGIN :
			capture->captured_at - (int64) (age_us - 1);
	}
}

static void
unpack_leaves(SwReader *reader, SwCapture *capture)
{
	Oid			previous = InvalidOid;
	uint32		i;

	capture->n_leaves = read_count(reader, 2);
	capture->leaves = allocate(capture->n_leaves, sizeof(SwLeaf));
	for (i = 0; i < capture->n_leaves; i++)
	{
		SwLeaf	   *leaf = &capture->leaves[i];

		leaf->relid = previous + (Oid) read_number(reader, PG_UINT32_MAX - previous);
		leaf->file = (Oid) read_number(reader, PG_UINT32_MAX);
		if (leaf->relid == previous)
			refuse();
		previous = leaf->relid;
	}
	capture->n_rewrites = read_count(reader, 2);
	capture->rewrites = allocate(capture->n_rewrites, sizeof(SwRewrite));
	for (i = 0; i < capture->n_rewrites; i++)
	{
		capture->rewrites[i].relid = (Oid) read_number(reader, PG_UINT32_MAX);
		capture->rewrites[i].xid = read_number(reader, XID_MAX);
	}
}

SwCapture *
sw_capture_unpack(const struct varlena *content, TimestampTz captured_at)
{
	SwCapture  *capture = palloc0(sizeof(SwCapture));
	SwReader	reader;
	uint8		version;
	uint8		flags;

	sw_reader_init(&reader, VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));
	if (sw_reader_read_uint8(&reader, &version) != SW_READ_OK)
		refuse();
	if (version != VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("saved capture is of another version of this extension"),
				 errdetail("Its format is %d; this version knows %d.",
						   version, VERSION)));
	if (sw_reader_read_uint8(&reader, &flags) != SW_READ_OK ||
		(flags & ~FLAG_IS_CUT) != 0)
		refuse();
	if (!IS_VALID_TIMESTAMP(captured_at))
		refuse();
	capture->captured_at = captured_at;
	capture->is_cut = (flags & FLAG_IS_CUT) != 0;
	unpack_transactions(&reader, capture);
	unpack_actives(&reader, capture);
	unpack_leaves(&reader, capture);
	if (sw_reader_remaining(&reader) != 0)
		refuse();
	return capture;
}
