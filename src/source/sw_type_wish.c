/*-------------------------------------------------------------------------
 *
 * sw_type_wish.c
 *	  Types that users wish for their columns, in the warehouse's words.
 *
 * Contract: sw_type_wish.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "port/sw_compat.h"
#include "source/sw_type_wish.h"

#define MAX_TYPE_BYTES 500

#define NAME_CHARACTERS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

#define INTEGERS \
	" Int8 Int16 Int32 Int64 Int128 Int256" \
	" UInt8 UInt16 UInt32 UInt64 UInt128 UInt256 "
#define TIMES " Date Date32 DateTime DateTime64 String "

/* What each type may become: names with a blank before and after each. */
static const char *const granted[] = {
	[SW_TYPE_STRING] = " String Enum8 Enum16 IPv4 IPv6 ",
	[SW_TYPE_BYTES] = " String ",
	[SW_TYPE_JSON] = " String ",
	[SW_TYPE_BOOL] = " Bool String " INTEGERS,
	[SW_TYPE_INT16] = " Bool Decimal Float32 Float64 String " INTEGERS,
	[SW_TYPE_INT32] = " Bool Decimal Float32 Float64 String " INTEGERS,
	[SW_TYPE_INT64] = " Bool Decimal Float32 Float64 String " INTEGERS,
	[SW_TYPE_UINT32] = " Bool Decimal Float32 Float64 String " INTEGERS,
	[SW_TYPE_FLOAT32] = " Float32 Float64 String ",
	[SW_TYPE_FLOAT64] = " Float64 String ",
	[SW_TYPE_UUID] = " UUID String ",
	[SW_TYPE_DATE] = TIMES,
	[SW_TYPE_TIME_US] = " Time64 String ",
	[SW_TYPE_TIMESTAMP_MS] = TIMES,
	[SW_TYPE_TIMESTAMP_US] = TIMES,
	[SW_TYPE_DATETIME_US] = TIMES,
	[SW_TYPE_ENUM] = " String Enum8 Enum16 "
};

static const char *const granted_to_numeric = " Decimal Float32 Float64 String ";

/* ---- is it the name of a type? ---- */

/* Is there more than a name, and what stands between its parentheses? */
static const char *
sw_type_wish_find_fault(const char *text)
{
	const char *at = text + strspn(text, NAME_CHARACTERS);
	bool		is_quoted = false;
	int			depth = 0;

	if (strlen(text) > MAX_TYPE_BYTES)
		return "It is too long.";
	if (at == text || (*at != '(' && *at != '\0') ||
		(text[0] >= '0' && text[0] <= '9'))
		return "It does not begin with a name.";
	for (; *at != '\0'; at++)
	{
		if (strchr(NAME_CHARACTERS "(),'-/+= ", *at) == NULL)
			return "Only letters, digits, blanks and (),'_-/+= may stand in it.";
		if (*at == '\'')
			is_quoted = !is_quoted;
		else if (is_quoted)
			continue;
		else if (*at == '(')
			depth++;
		else if (*at == ')' && --depth == 0 && at[1] != '\0')
			return "Something follows its last parenthesis.";
		else if ((*at == '-' || *at == '/') && at[1] == *at)
			return "It contains a comment.";
	}
	return is_quoted || depth != 0 ?
		"Its quotes or parentheses are not balanced." : NULL;
}

void
sw_type_wish_check(const char *column, const char *type)
{
	const char *fault = sw_type_wish_find_fault(type);

	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("type of column \"%s\" is not the name of a type",
						column),
				 errdetail("%s", fault),
				 errhint("Write a type as the warehouse names it, such as Decimal(20, 4).")));
}

/* ---- parts of a type ---- */

/*
 * Where the name begins, without the Nullable or LowCardinality around it;
 * n_bytes is its length.
 */
static const char *
sw_type_wish_find_name(const char *type, int *n_bytes, bool *is_nullable)
{
	static const char *const wrappers[] = {"LowCardinality(", "Nullable("};
	int			i;

	*is_nullable = false;
	for (i = 0; i < (int) lengthof(wrappers); i++)
		if (strncmp(type, wrappers[i], strlen(wrappers[i])) == 0)
		{
			type += strlen(wrappers[i]);
			type += strspn(type, " ");
			*is_nullable = i == 1;
		}
	*n_bytes = (int) strspn(type, NAME_CHARACTERS);
	return type;
}

bool
sw_type_wish_is(const char *type, const char *name)
{
	bool		is_nullable;
	int			n_bytes;

	if (type == NULL)
		return false;
	type = sw_type_wish_find_name(type, &n_bytes, &is_nullable);
	return n_bytes == (int) strlen(name) && strncmp(type, name, n_bytes) == 0;
}

/* What follows the name: "(20, 4)"; "" = nothing. */
static const char *
sw_type_wish_find_arguments(const char *type)
{
	bool		is_nullable;
	int			n_bytes;

	type = sw_type_wish_find_name(type, &n_bytes, &is_nullable);
	return type[n_bytes] == '(' ? type + n_bytes : "";
}

/* One of the arguments, or NULL; without blanks around it. */
static char *
sw_type_wish_get_argument(const char *type, int n)
{
	const char *at = sw_type_wish_find_arguments(type);
	const char *first = at + 1;
	bool		is_quoted = false;
	int			depth = 0;

	for (; *at != '\0'; at++)
	{
		if (*at == '\'')
			is_quoted = !is_quoted;
		else if (is_quoted)
			continue;
		else if (*at == '(')
			depth++;
		else if ((*at == ')' && --depth == 0) || (*at == ',' && depth == 1))
		{
			if (n-- == 0)
			{
				first += strspn(first, " ");
				while (at > first && at[-1] == ' ')
					at--;
				return pnstrdup(first, at - first);
			}
			if (depth == 0)
				break;
			first = at + 1;
		}
	}
	return NULL;
}

/* One of the arguments that is a number of up to two digits; -1: it is not. */
static int
sw_type_wish_get_number(const char *type, int n)
{
	char	   *argument = sw_type_wish_get_argument(type, n);
	Size		n_bytes = argument == NULL ? 0 : strlen(argument);
	int			number = 0;

	if (n_bytes < 1 || n_bytes > 2 ||
		strspn(argument, "0123456789") != n_bytes)
		return -1;
	while (*argument != '\0')
		number = number * 10 + (*argument++ - '0');
	return number;
}

bool
sw_type_wish_get_decimal(const char *type, int *precision, int *scale)
{
	if (!sw_type_wish_is(type, "Decimal"))
		return false;
	*precision = sw_type_wish_get_number(type, 0);
	*scale = sw_type_wish_get_number(type, 1);
	return *precision >= 1 && *precision <= SW_DECIMAL_MAX_PRECISION &&
		*scale >= 0 && *scale <= *precision;
}

int
sw_type_wish_get_digits(const char *type)
{
	return sw_type_wish_get_number(type, 0);
}

/* As the warehouse shows it, so that its table can be compared. */
static bool
sw_type_wish_is_complete(const char *type)
{
	int			precision;
	int			scale;

	if (sw_type_wish_is(type, "Decimal"))
		return sw_type_wish_get_decimal(type, &precision, &scale);
	if (sw_type_wish_is(type, "DateTime64") || sw_type_wish_is(type, "Time64"))
		return sw_type_wish_get_digits(type) >= 0 &&
			sw_type_wish_get_digits(type) <= 9;
	return true;
}

bool
sw_type_wish_get_range(const char *type, int64 *first, int64 *last)
{
	static const struct
	{
		const char *name;
		int64		first;
		int64		last;
	}			ranges[] = {
		{"Bool", 0, 1},
		{"Int8", PG_INT8_MIN, PG_INT8_MAX},
		{"Int16", PG_INT16_MIN, PG_INT16_MAX},
		{"Int32", PG_INT32_MIN, PG_INT32_MAX},
		{"UInt8", 0, PG_UINT8_MAX},
		{"UInt16", 0, PG_UINT16_MAX},
		{"UInt32", 0, PG_UINT32_MAX},
		{"UInt64", 0, PG_INT64_MAX},
		{"UInt128", 0, PG_INT64_MAX},
		{"UInt256", 0, PG_INT64_MAX},
		/* beyond, not every integer is one of theirs */
		{"Float32", -(INT64CONST(1) << 24), INT64CONST(1) << 24},
		{"Float64", -(INT64CONST(1) << 53), INT64CONST(1) << 53}
	};
	int			precision;
	int			scale;
	int			i;

	for (i = 0; i < (int) lengthof(ranges); i++)
		if (sw_type_wish_is(type, ranges[i].name))
		{
			*first = ranges[i].first;
			*last = ranges[i].last;
			return true;
		}
	if (!sw_type_wish_get_decimal(type, &precision, &scale) ||
		precision - scale > 18)
		return false;
	*last = 1;
	for (i = 0; i < precision - scale; i++)
		*last *= 10;
	*last -= 1;
	*first = -*last;
	return true;
}

/* ---- granting ---- */

SW_NORETURN static void
sw_type_wish_refuse(const SwColumnSpec *spec, Oid server_type,
					const char *type, const char *column)
{
	const char *detail = "The warehouse would change some of them and not tell.";
	const char *hint = "Convert them in the column's expression, such as {\"expr\": \"x::integer\"}; PostgreSQL then says what does not fit.";

	if (!sw_type_wish_is_complete(type))
	{
		detail = "The digits of such a type are to be given.";
		hint = "Write it as the warehouse shows it, such as Decimal(20, 4) or DateTime64(3).";
	}
	else if (spec->type == SW_TYPE_DATETIME_US)
	{
		detail = "Such a time is a wall clock: a time zone other than 'UTC' would move it.";
		hint = "Give the type the zone 'UTC', or make the column an instant by an expression such as \"x AT TIME ZONE 'Asia/Shanghai'\".";
	}
	else if (sw_type_is_container(spec->type))
		detail = "The type has to be the same container, with the names of a tuple's fields.";
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("cannot make values of type %s of column \"%s\" into %s",
					format_type_be(server_type), column, type),
			 errdetail("%s", detail),
			 errhint("%s", hint)));
}

static bool
sw_type_wish_is_granted(const SwColumnSpec *spec, Oid server_type,
						const char *type)
{
	const char *names = server_type == NUMERICOID ? granted_to_numeric :
	granted[spec->type];
	bool		is_nullable;
	int			n_bytes;
	const char *name = sw_type_wish_find_name(type, &n_bytes, &is_nullable);
	char	   *wanted = psprintf(" %.*s ", n_bytes, name);

	if (n_bytes == 0 || names == NULL || strstr(names, wanted) == NULL ||
		!sw_type_wish_is_complete(type))
		return false;
	if (spec->type == SW_TYPE_TIME_US && sw_type_wish_is(type, "Time64"))
		return sw_type_wish_get_digits(type) >= 6;
	if (spec->type == SW_TYPE_DATETIME_US &&
		(sw_type_wish_is(type, "DateTime") ||
		 sw_type_wish_is(type, "DateTime64")))
	{
		char	   *zone;

		zone = sw_type_wish_get_argument(type,
										 sw_type_wish_is(type, "DateTime") ? 0 : 1);
		return zone != NULL && strcmp(zone, "'UTC'") == 0;
	}
	return true;
}

void
sw_type_wish_apply(SwColumnSpec *spec, Oid server_type, const char *type,
				   const char *column)
{
	bool		is_nullable;
	int			n_bytes;

	if (!sw_type_wish_is_granted(spec, server_type, type))
		sw_type_wish_refuse(spec, server_type, type, column);
	spec->target_type = type;

	/* A null that the target cannot hold is found before it leaves. */
	(void) sw_type_wish_find_name(type, &n_bytes, &is_nullable);
	spec->is_nullable = spec->is_nullable && is_nullable;
	if (server_type != NUMERICOID)
		return;
	if (sw_type_wish_is(type, "String"))
		spec->type = SW_TYPE_STRING;
	else if (sw_type_wish_is(type, "Float32"))
		spec->type = SW_TYPE_FLOAT32;
	else if (sw_type_wish_is(type, "Float64"))
		spec->type = SW_TYPE_FLOAT64;
	else
	{
		spec->type = SW_TYPE_DECIMAL;
		(void) sw_type_wish_get_decimal(type, &spec->precision, &spec->scale);
	}
	if (spec->type != SW_TYPE_DECIMAL)
		spec->precision = spec->scale = 0;
}

char	  **
sw_type_wish_split(const SwColumnSpec *spec, Oid server_type,
				   const char *type, const char *column)
{
	const char *name = spec->type == SW_TYPE_ARRAY ? "Array" :
	spec->type == SW_TYPE_MAP ? "Map" : "Tuple";
	char	  **members = palloc(sizeof(char *) * spec->n_children);
	int			i;

	if (strncmp(type, name, strlen(name)) != 0 || type[strlen(name)] != '(' ||
		sw_type_wish_get_argument(type, spec->n_children) != NULL)
		sw_type_wish_refuse(spec, server_type, type, column);
	for (i = 0; i < spec->n_children; i++)
	{
		const char *field = spec->children[i].name;

		members[i] = sw_type_wish_get_argument(type, i);
		if (members[i] != NULL && spec->type == SW_TYPE_TUPLE)
		{
			Size		n_bytes = strlen(field);

			if (strncmp(members[i], field, n_bytes) != 0 ||
				members[i][n_bytes] != ' ')
				sw_type_wish_refuse(spec, server_type, type, column);
			members[i] += n_bytes;
			members[i] += strspn(members[i], " ");
		}
		if (members[i] == NULL)
			sw_type_wish_refuse(spec, server_type, type, column);
	}
	return members;
}
