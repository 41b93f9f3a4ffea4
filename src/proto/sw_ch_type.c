/*-------------------------------------------------------------------------
 *
 * sw_ch_type.c
 *	  Type names of the ClickHouse native protocol.
 *
 * Our own SELECTs cast to String and integers, and a peer's log lines use
 * a few more; this is not a list of what the warehouse can store.
 *
 * Called by the block reader for each column header.  Never fails.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "proto/sw_ch_packet.h"
#include "proto/sw_ch_type.h"

#define SW_CH_NULLABLE		"Nullable("
#define SW_CH_FIXED_STRING	"FixedString("

typedef struct SwChTypeName
{
	const char *name;
	bool		has_arguments;	/* may be followed by (...) */
	SwChKind	kind;
	Size		width;
} SwChTypeName;

static const SwChTypeName sw_ch_type_names[] = {
	{"String", false, SW_CH_KIND_STRING, 0},
	{"UInt8", false, SW_CH_KIND_UNSIGNED, 1},
	{"UInt16", false, SW_CH_KIND_UNSIGNED, 2},
	{"UInt32", false, SW_CH_KIND_UNSIGNED, 4},
	{"UInt64", false, SW_CH_KIND_UNSIGNED, 8},
	{"Int8", false, SW_CH_KIND_SIGNED, 1},
	{"Int16", false, SW_CH_KIND_SIGNED, 2},
	{"Int32", false, SW_CH_KIND_SIGNED, 4},
	{"Int64", false, SW_CH_KIND_SIGNED, 8},
	{"Float32", false, SW_CH_KIND_FLOAT, 4},
	{"Float64", false, SW_CH_KIND_FLOAT, 8},
	{"Date", false, SW_CH_KIND_UNSIGNED, 2},
	{"Date32", false, SW_CH_KIND_SIGNED, 4},
	{"DateTime", true, SW_CH_KIND_UNSIGNED, 4},
	{"DateTime64", true, SW_CH_KIND_SIGNED, 8}
};

/* The width in "FixedString(width)", or 0 if it isn't one we take. */
static Size
sw_ch_type_fixed_width(const char *name, Size len)
{
	Size		prefix_len = strlen(SW_CH_FIXED_STRING);
	Size		width = 0;
	Size		i;

	if (len < prefix_len + 2 || name[len - 1] != ')' ||
		strncmp(name, SW_CH_FIXED_STRING, prefix_len) != 0)
		return 0;
	for (i = prefix_len; i < len - 1; i++)
	{
		if (name[i] < '0' || name[i] > '9')
			return 0;
		width = width * 10 + (Size) (name[i] - '0');
		if (width > SW_CH_MAX_NAME_BYTES)
			return 0;
	}
	return width;
}

void
sw_ch_type_resolve(SwChColumn *column)
{
	const char *name = column->type;
	Size		len = strlen(name);
	Size		prefix_len = strlen(SW_CH_NULLABLE);
	Size		i;

	column->kind = SW_CH_KIND_UNKNOWN;
	column->is_nullable = false;
	column->width = 0;

	if (len > prefix_len && name[len - 1] == ')' &&
		strncmp(name, SW_CH_NULLABLE, prefix_len) == 0)
	{
		column->is_nullable = true;
		name += prefix_len;
		len -= prefix_len + 1;
	}

	column->width = sw_ch_type_fixed_width(name, len);
	if (column->width > 0)
	{
		column->kind = SW_CH_KIND_FIXED_STRING;
		return;
	}

	for (i = 0; i < lengthof(sw_ch_type_names); i++)
	{
		const SwChTypeName *known = &sw_ch_type_names[i];
		Size		known_len = strlen(known->name);

		if (len < known_len || strncmp(name, known->name, known_len) != 0)
			continue;
		if (len == known_len ||
			(known->has_arguments && name[known_len] == '(' &&
			 name[len - 1] == ')'))
		{
			column->kind = known->kind;
			column->width = known->width;
			return;
		}
	}
}
