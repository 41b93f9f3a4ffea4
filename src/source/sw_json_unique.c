/*-------------------------------------------------------------------------
 *
 * sw_json_unique.c
 *	  JSON text without the members that a later one of the name overrides.
 *
 * One pass over the text, which may be anything, finds them; the grammar is
 * checked elsewhere.  What is known of a member lies on a stack as long as
 * its object is open.  Contract: sw_json_writer.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "source/sw_json_writer.h"

/* An interrupt is seen after so many brackets and commas at the latest. */
#define MARKS_PER_CHECK		65536

/* Of so few members each is compared to each. */
#define MAX_FEW_MEMBERS		8

#define FIRST_ROOM			64

/* Offsets are from the text's beginning. */
typedef struct Member
{
	uint32		hash;			/* of what the name means */
	uint32		start;			/* of the name, at its quote */
	uint32		n_name;			/* bytes between its quotes */
} Member;

/* What is left out: from the member up to the next one. */
typedef struct Span
{
	uint32		start;
	uint32		end;
} Span;

typedef struct Frame
{
	bool		is_object;
	uint32		first_member;	/* of the object, on the stack */
} Frame;

/* A growing array. */
typedef struct Stack
{
	void	   *items;
	Size		n_items;
	Size		n_allocated;
} Stack;

typedef struct UniqueScan
{
	const char *bytes;
	const char *at;
	const char *end;
	Stack		frames;
	Stack		members;
	Stack		spans;
} UniqueScan;

static void *
sw_json_push(Stack *stack, Size item_bytes)
{
	if (stack->n_items == stack->n_allocated)
	{
		stack->n_allocated = Max(stack->n_allocated * 2, FIRST_ROOM);
		stack->items = stack->items == NULL ?
			MemoryContextAllocHuge(CurrentMemoryContext,
								   stack->n_allocated * item_bytes) :
			repalloc_huge(stack->items, stack->n_allocated * item_bytes);
	}
	return (char *) stack->items + stack->n_items++ * item_bytes;
}

static void
sw_json_free_stack(Stack *stack)
{
	if (stack->items != NULL)
		pfree(stack->items);
}

/* ---- comparing names ---- */

/* By what they mean: less than 0, 0, more than 0. */
static int
sw_json_compare_names(const UniqueScan *scan, const Member *a,
					  const Member *b)
{
	const char *names[2] = {
		scan->bytes + a->start + 1, scan->bytes + b->start + 1
	};
	const char *ends[2] = {names[0] + a->n_name, names[1] + b->n_name};
	char		bytes[2][SW_JSON_CHAR_BYTES];
	int			n_bytes[2];
	int			result;

	while (names[0] < ends[0] && names[1] < ends[1])
	{
		n_bytes[0] = sw_json_read_char(&names[0], ends[0], bytes[0]);
		n_bytes[1] = sw_json_read_char(&names[1], ends[1], bytes[1]);
		if (n_bytes[0] != n_bytes[1])
			return n_bytes[0] - n_bytes[1];
		result = memcmp(bytes[0], bytes[1], n_bytes[0]);
		if (result != 0)
			return result;
	}
	return (int) (names[0] < ends[0]) - (int) (names[1] < ends[1]);
}

static int
sw_json_compare_members(const void *left, const void *right, void *arg)
{
	const UniqueScan *scan = (const UniqueScan *) arg;
	const Member *members = (const Member *) scan->members.items;
	const Member *a = &members[*(const uint32 *) left];
	const Member *b = &members[*(const uint32 *) right];
	int			result;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	result = sw_json_compare_names(scan, a, b);
	if (result != 0)
		return result;
	return a->start < b->start ? -1 : a->start > b->start ? 1 : 0;
}

static bool
sw_json_are_namesakes(const UniqueScan *scan, const Member *a,
					  const Member *b)
{
	return a->hash == b->hash && sw_json_compare_names(scan, a, b) == 0;
}

/* ---- one object ---- */

static void
sw_json_leave_out(UniqueScan *scan, const Member *member)
{
	Span	   *span = sw_json_push(&scan->spans, sizeof(Span));

	span->start = member[0].start;
	span->end = member[1].start;
}

static void
sw_json_compare_few(UniqueScan *scan, const Member *members, Size n_members)
{
	Size		i;
	Size		j;

	for (i = 0; i + 1 < n_members; i++)
		for (j = i + 1; j < n_members; j++)
			if (sw_json_are_namesakes(scan, &members[i], &members[j]))
			{
				sw_json_leave_out(scan, &members[i]);
				break;
			}
}

static void
sw_json_compare_many(UniqueScan *scan, uint32 first, Size n_members)
{
	const Member *members = (const Member *) scan->members.items;
	uint32	   *order = MemoryContextAllocHuge(CurrentMemoryContext,
											   n_members * sizeof(uint32));
	Size		i;

	for (i = 0; i < n_members; i++)
		order[i] = first + (uint32) i;
	qsort_arg(order, n_members, sizeof(uint32), sw_json_compare_members,
			  scan);
	for (i = 0; i + 1 < n_members; i++)
		if (sw_json_are_namesakes(scan, &members[order[i]],
								  &members[order[i + 1]]))
			sw_json_leave_out(scan, &members[order[i]]);
	pfree(order);
}

/* A container ends; false if none is open. */
static bool
sw_json_close_frame(UniqueScan *scan)
{
	const Frame *frame;
	Size		n_members;

	if (scan->frames.n_items == 0)
		return false;
	frame = (Frame *) scan->frames.items + --scan->frames.n_items;
	if (!frame->is_object)
		return true;
	n_members = scan->members.n_items - frame->first_member;
	if (n_members <= MAX_FEW_MEMBERS)
		sw_json_compare_few(scan, (Member *) scan->members.items +
							frame->first_member, n_members);
	else
		sw_json_compare_many(scan, frame->first_member, n_members);
	scan->members.n_items = frame->first_member;
	return true;
}

/* ---- the text ---- */

/* The rest of a string, its first quote being read; false if it has no end. */
static bool
sw_json_skip_string(UniqueScan *scan)
{
	const char *at = scan->at;

	while (at < scan->end && *at != '"')
	{
		uint64		word;

		if (*at == '\\')
		{
			at += 2;
			continue;
		}
		at++;
		while (scan->end - at >= SW_JSON_WORD_BYTES)
		{
			memcpy(&word, at, SW_JSON_WORD_BYTES);
			if (sw_json_is_special(word))
				break;
			at += SW_JSON_WORD_BYTES;
		}
	}
	scan->at = at + 1;
	return at < scan->end;
}

/* A string where a name is due; false if it has no end, or wrong escapes. */
static bool
sw_json_scan_name(UniqueScan *scan)
{
	const char *start = scan->at;
	const char *at;
	const char *name_end;
	Member	   *member;
	uint32		code;

	scan->at++;
	if (!sw_json_skip_string(scan))
		return false;
	name_end = scan->at - 1;
	for (at = start + 1; at < name_end;)
		if (*at++ == '\\' && !sw_json_read_escape(&at, name_end, &code))
			return false;
	member = sw_json_push(&scan->members, sizeof(Member));
	member->start = (uint32) (start - scan->bytes);
	member->n_name = (uint32) (name_end - start - 1);
	member->hash = (uint32) (sw_json_hash_name(SW_JSON_HASH_START, start + 1,
											   member->n_name) >> 32);
	return true;
}

/* Find what is to be left out; false if the text is no JSON. */
static bool
sw_json_scan_text(UniqueScan *scan)
{
	bool		is_name_due = false;
	uint32		n_marks = 0;
	Frame	   *frame;

	while (scan->at < scan->end)
	{
		if (*scan->at == '"')
		{
			if (is_name_due ? !sw_json_scan_name(scan) :
				(scan->at++, !sw_json_skip_string(scan)))
				return false;
			is_name_due = false;
			continue;
		}
		switch (*scan->at++)
		{
			case '{':
			case '[':
				frame = sw_json_push(&scan->frames, sizeof(Frame));
				frame->is_object = scan->at[-1] == '{';
				frame->first_member = (uint32) scan->members.n_items;
				is_name_due = frame->is_object;
				break;
			case '}':
			case ']':
				if (!sw_json_close_frame(scan))
					return false;
				is_name_due = false;
				break;
			case ',':
				if (scan->frames.n_items == 0)
					return false;
				frame = (Frame *) scan->frames.items + scan->frames.n_items - 1;
				is_name_due = frame->is_object;
				break;
			default:
				continue;
		}
		if (++n_marks % MARKS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return scan->frames.n_items == 0;
}

static int
sw_json_compare_spans(const void *left, const void *right)
{
	const Span *a = (const Span *) left;
	const Span *b = (const Span *) right;

	return a->start < b->start ? -1 : a->start > b->start ? 1 : 0;
}

/* The text without the spans, which may lie within each other. */
static char *
sw_json_cut_spans(const UniqueScan *scan, Size *n_left)
{
	Span	   *spans = (Span *) scan->spans.items;
	char	   *left = palloc(scan->end - scan->bytes);
	char	   *out = left;
	uint32		kept = 0;
	Size		i;

	qsort(spans, scan->spans.n_items, sizeof(Span), sw_json_compare_spans);
	for (i = 0; i < scan->spans.n_items; i++)
	{
		if (spans[i].start < kept)
			continue;
		memcpy(out, scan->bytes + kept, spans[i].start - kept);
		out += spans[i].start - kept;
		kept = spans[i].end;
	}
	memcpy(out, scan->bytes + kept, scan->end - scan->bytes - kept);
	out += scan->end - scan->bytes - kept;
	*n_left = out - left;
	return left;
}

char *
sw_json_drop_duplicates(const char *bytes, Size n_bytes, Size *n_left)
{
	UniqueScan	scan = {.bytes = bytes,.at = bytes,.end = bytes + n_bytes};
	char	   *left = NULL;

	if (sw_json_scan_text(&scan) && scan.spans.n_items > 0)
		left = sw_json_cut_spans(&scan, n_left);
	sw_json_free_stack(&scan.frames);
	sw_json_free_stack(&scan.members);
	sw_json_free_stack(&scan.spans);
	return left;
}

void
sw_json_unify_names(SwJsonWriter *writer)
{
	Size		n_left;
	char	   *left = sw_json_drop_duplicates(sw_json_get_written(writer, 0),
											   sw_json_count(writer),
											   &n_left);

	if (left == NULL)
		return;
	sw_json_rewind(writer, 0);
	sw_json_put_bytes(writer, left, n_left);
	pfree(left);
}
