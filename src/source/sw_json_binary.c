/*-------------------------------------------------------------------------
 *
 * sw_json_binary.c
 *	  From jsonb's binary form to JSON text of a column.
 *
 * Walks the containers as they lie, members in the order in which they are
 * stored.  Contract: sw_json.h.  The form is that of utils/jsonb.h, that of
 * numbers is described in sw_numeric.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "port/sw_compat.h"
#include "source/sw_json_writer.h"
#include "source/sw_numeric.h"

/* An interrupt is seen after so many members at the latest. */
#define MEMBERS_PER_CHECK	1024

/*
 * Numbers of so few stored digits, so near to 1, have at most 15 digits or
 * are small integers: they are a double's text.
 */
#define MAX_SHORT_DIGITS	3
#define MAX_SHORT_WEIGHT	70
#define MAX_WHOLE_WEIGHT	3	/* below 10^16 */

/* A value in the data of its container. */
typedef struct JsonbItem
{
	JEntry		entry;
	const char *base;			/* of the container's data */
	uint32		offset;
	uint32		n_bytes;		/* with what aligns it */
} JsonbItem;

static bool sw_json_put_container(SwJsonWriter *writer,
								  const JsonbContainer *container,
								  const SwJsonRule *rule,
								  const SwJsonPlace *parent);

/* ---- numbers ---- */

static inline char *
sw_json_put_four_digits(char *out, int digits)
{
	static const char pairs[] =
	"00010203040506070809" "10111213141516171819"
	"20212223242526272829" "30313233343536373839"
	"40414243444546474849" "50515253545556575859"
	"60616263646566676869" "70717273747576777879"
	"80818283848586878889" "90919293949596979899";

	memcpy(out, &pairs[digits / 100 * 2], 2);
	memcpy(out + 2, &pairs[digits % 100 * 2], 2);
	return out + 4;
}

/* The digits of an integer's first group, without zeros before. */
static inline char *
sw_json_put_first_digits(char *out, int digits)
{
	char		all[SW_NUMERIC_DIGITS];
	int			n_zeros;

	(void) sw_json_put_four_digits(all, digits);
	n_zeros = digits >= 1000 ? 0 : digits >= 100 ? 1 : digits >= 10 ? 2 : 3;
	memcpy(out, all + n_zeros, SW_NUMERIC_DIGITS - n_zeros);
	return out + SW_NUMERIC_DIGITS - n_zeros;
}

static inline int
sw_json_get_digits(const SwNumericView *view, int i)
{
	return i >= 0 && i < view->n_digits ? view->digits[i] : 0;
}

static void
sw_json_put_view(SwJsonWriter *writer, const SwNumericView *view)
{
	Size		n_whole = (Size) (Max(view->weight, 0) + 1) * SW_NUMERIC_DIGITS;
	char	   *out;
	int			i;

	/* a sign, a point, and digits beyond the scale, cut afterwards */
	sw_json_reserve(writer, n_whole + view->scale + 2 + SW_NUMERIC_DIGITS);
	out = writer->at;
	if (view->is_negative)
		*out++ = '-';
	if (view->weight < 0)
		*out++ = '0';
	else
		out = sw_json_put_first_digits(out, sw_json_get_digits(view, 0));
	for (i = 1; i <= view->weight; i++)
		out = sw_json_put_four_digits(out, sw_json_get_digits(view, i));
	if (view->scale > 0)
	{
		char	   *last;

		*out++ = '.';
		last = out + view->scale;
		for (i = view->weight + 1; out < last; i++)
			out = sw_json_put_four_digits(out, sw_json_get_digits(view, i));
		out = last;
	}
	writer->at = out;
}

static bool
sw_json_put_numeric(SwJsonWriter *writer, const char *numeric,
					const SwJsonPlace *place)
{
	Size		start = sw_json_count(writer);
	const char *text;
	Size		n_bytes;
	SwNumericView view;

	if (likely(VARATT_IS_4B_U(numeric) &&
			   sw_numeric_look((const struct varlena *) numeric, &view)))
	{
		sw_json_put_view(writer, &view);
		if (!writer->is_judging ||
			(view.n_digits <= MAX_SHORT_DIGITS &&
			 view.weight >= -MAX_SHORT_WEIGHT && view.weight <= MAX_WHOLE_WEIGHT))
			return true;
	}
	else
	{
		char	   *shown = DatumGetCString(DirectFunctionCall1(numeric_out,
																PointerGetDatum(numeric)));

		sw_json_put_bytes(writer, shown, strlen(shown));
		pfree(shown);
	}

	if (!writer->is_judging)
		return true;
	text = sw_json_get_written(writer, start);
	n_bytes = sw_json_count(writer) - start;
	if (sw_json_number_survives(text, n_bytes))
		return true;
	sw_json_rewind(writer, start);
	return sw_json_put_number(writer, text, n_bytes, place) != SW_JSON_HALT;
}

/* ---- values ---- */

static inline const char *
sw_json_get_aligned(const JsonbItem *item)
{
	return item->base + INTALIGN(item->offset);
}

/* A value, of which only what is below it is declared. */
static inline bool
sw_json_put_item(SwJsonWriter *writer, const JsonbItem *item,
				 const SwJsonRule *rule, const SwJsonPlace *place)
{
	switch (item->entry & JENTRY_TYPEMASK)
	{
		case JENTRY_ISSTRING:
			sw_json_put_string(writer, item->base + item->offset,
							   item->n_bytes);
			return true;
		case JENTRY_ISNUMERIC:
			return sw_json_put_numeric(writer, sw_json_get_aligned(item),
									   place);
		case JENTRY_ISBOOL_FALSE:
			sw_json_put_bytes(writer, "false", 5);
			return true;
		case JENTRY_ISBOOL_TRUE:
			sw_json_put_bytes(writer, "true", 4);
			return true;
		case JENTRY_ISNULL:
			sw_json_put_bytes(writer, "null", 4);
			return true;
		case JENTRY_ISCONTAINER:
			return sw_json_put_container(writer,
										 (const JsonbContainer *) sw_json_get_aligned(item),
										 rule, place);
	}
	elog(ERROR, "unknown type of jsonb value %08x", item->entry);
	return false;
}

/* A value that is declared to be a date-time. */
static pg_noinline bool
sw_json_put_item_datetime(SwJsonWriter *writer, const JsonbItem *item,
						  const SwJsonRule *rule, const SwJsonPlace *place)
{
	bool		was_judging = writer->is_judging;
	Size		start = sw_json_count(writer);
	Size		n_bytes;
	SwJsonOutcome outcome;

	if (JBE_ISCONTAINER(item->entry) &&
		JsonContainerIsArray((const JsonbContainer *) sw_json_get_aligned(item)))
		return sw_json_put_item(writer, item, rule, place);
	if (JBE_ISSTRING(item->entry) &&
		sw_json_try_datetime(writer, item->base + item->offset, item->n_bytes))
		return true;

	/* as plain text, to be read there */
	writer->is_judging = false;
	(void) sw_json_put_item(writer, item, NULL, place);
	writer->is_judging = was_judging;
	n_bytes = sw_json_count(writer) - start;
	sw_json_rewind(writer, start);
	outcome = sw_json_put_datetime(writer, sw_json_get_written(writer, start),
								   n_bytes, place);
	if (outcome == SW_JSON_KEEP)
		return sw_json_put_item(writer, item, rule, place);
	return outcome == SW_JSON_WRITTEN;
}

/* ---- containers ---- */

/* Where the entry at offset ends. */
static inline uint32
sw_json_find_end(JEntry entry, uint32 offset)
{
	return JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) :
		offset + JBE_OFFLENFLD(entry);
}

static bool
sw_json_put_elements(SwJsonWriter *writer, const JsonbContainer *container,
					 const SwJsonRule *rule, const SwJsonPlace *parent)
{
	uint32		n_elements = JsonContainerSize(container);
	SwJsonPlace place = {parent, NULL, 0, 0};
	JsonbItem	item;

	item.base = (const char *) &container->children[n_elements];
	item.offset = 0;
	for (; place.index < n_elements; place.index++)
	{
		uint32		end;

		if (place.index % MEMBERS_PER_CHECK == MEMBERS_PER_CHECK - 1)
			CHECK_FOR_INTERRUPTS();
		item.entry = container->children[place.index];
		end = sw_json_find_end(item.entry, item.offset);
		item.n_bytes = end - item.offset;
		if (place.index > 0)
			sw_json_put_byte(writer, ',');
		if (rule != NULL && rule->is_datetime)
		{
			if (!sw_json_put_item_datetime(writer, &item, rule, &place))
				return false;
		}
		else if (!sw_json_put_item(writer, &item, rule, &place))
			return false;
		item.offset = end;
	}
	return true;
}

static bool
sw_json_put_members(SwJsonWriter *writer, const JsonbContainer *container,
					const SwJsonRules *rules, const SwJsonPlace *parent)
{
	uint32		n_members = JsonContainerSize(container);
	const JEntry *names = container->children;
	const JEntry *values = names + n_members;
	uint32		name_offset = 0;
	SwJsonPlace place = {parent, NULL, 0, 0};
	JsonbItem	item;
	uint32		i;

	item.base = (const char *) &container->children[n_members * 2];
	item.offset = n_members > 0 ? getJsonbOffset(container, n_members) : 0;
	for (i = 0; i < n_members; i++)
	{
		const SwJsonRule *rule = NULL;
		uint32		name_end = sw_json_find_end(names[i], name_offset);
		uint32		end;
		bool		is_done;

		if (i % MEMBERS_PER_CHECK == MEMBERS_PER_CHECK - 1)
			CHECK_FOR_INTERRUPTS();
		place.name = item.base + name_offset;
		place.n_name = (int) (name_end - name_offset);
		name_offset = name_end;
		item.entry = values[i];
		end = sw_json_find_end(item.entry, item.offset);
		item.n_bytes = end - item.offset;

		if (i > 0)
			sw_json_put_byte(writer, ',');
		sw_json_look_at_name(writer, place.name, place.n_name, false);
		sw_json_put_string(writer, place.name, place.n_name);
		sw_json_put_byte(writer, ':');
		if (rules != NULL)
			rule = sw_json_rules_find(rules, place.name, place.n_name);
		if (likely(rule == NULL))
			is_done = sw_json_put_item(writer, &item, NULL, &place);
		else if (rule->is_array && JBE_ISNULL(item.entry))
		{
			sw_json_put_bytes(writer, "[]", 2);
			is_done = true;
		}
		else if (rule->is_datetime)
			is_done = sw_json_put_item_datetime(writer, &item, rule, &place);
		else
			is_done = sw_json_put_item(writer, &item, rule, &place);
		if (!is_done)
			return false;
		item.offset = end;
	}
	return true;
}

/* False if the judge stopped it. */
static bool
sw_json_put_container(SwJsonWriter *writer, const JsonbContainer *container,
					  const SwJsonRule *rule, const SwJsonPlace *parent)
{
	bool		is_done;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (JsonContainerIsObject(container))
	{
		sw_json_go_deeper(writer);
		sw_json_put_byte(writer, '{');
		is_done = sw_json_put_members(writer, container,
									  rule != NULL ? &rule->below : NULL,
									  parent);
		sw_json_put_byte(writer, '}');
		writer->depth--;
		return is_done;
	}
	if (JsonContainerIsScalar(container))
	{
		JsonbItem	item;

		item.entry = container->children[0];
		item.base = (const char *) &container->children[1];
		item.offset = 0;
		item.n_bytes = sw_json_find_end(item.entry, 0);
		return sw_json_put_item(writer, &item, rule, parent);
	}
	sw_json_go_deeper(writer);
	sw_json_put_byte(writer, '[');
	is_done = sw_json_put_elements(writer, container, rule, parent);
	sw_json_put_byte(writer, ']');
	writer->depth--;
	return is_done;
}

SwJsonResult
sw_json_append_jsonb(SwJsonWriter *writer, Datum value, SwColumn *column)
{
	const struct varlena *packed = (struct varlena *) DatumGetPointer(value);
	union
	{
		int32		length_word;	/* aligns it */
		char		data[VARHDRSZ + VARATT_SHORT_MAX];
	}			copy;
	const Jsonb *json;

	if (VARATT_IS_4B_U(packed))
		json = (const Jsonb *) packed;
	else if (VARATT_IS_SHORT(packed) && !VARATT_IS_EXTERNAL(packed))
	{
		memcpy(copy.data + VARHDRSZ, VARDATA_SHORT(packed),
			   VARSIZE_SHORT(packed) - VARHDRSZ_SHORT);
		json = (const Jsonb *) copy.data;
	}
	else
		json = DatumGetJsonbP(value);

	sw_json_begin(writer, column);
	if (!sw_json_put_container(writer, &json->root,
							   writer->has_rules ? &writer->root : NULL, NULL))
		return SW_JSON_STOPPED;
	return sw_json_end(writer);
}
