/*-------------------------------------------------------------------------
 *
 * sw_type_map.h
 *	  Which column a value of the server becomes.
 *
 *	  bool							BOOL
 *	  int2, int4, int8				INT16, INT32, INT64
 *	  oid, xid, cid					UINT32
 *	  float4, float8				FLOAT32, FLOAT64
 *	  numeric(p, s)					DECIMAL of up to 76 digits; wider ones and
 *									numeric without a precision: STRING
 *	  bytea							BYTES
 *	  uuid							UUID
 *	  date							DATE
 *	  time							TIME_US, or STRING where the target has no
 *									such type
 *	  timestamp						DATETIME_US
 *	  timestamptz					TIMESTAMP_US
 *	  json, jsonb					JSON
 *	  enums							ENUM
 *	  arrays						ARRAY of members that may be null; those
 *									declared with more than one dimension:
 *									STRING, as JSON text
 *	  composite types				TUPLE of fields that may be null
 *	  hstore						MAP of STRING to STRING that may be null
 *	  domains						as their base type
 *	  all others					STRING, as the server prints them
 *
 * A negative scale makes a wider DECIMAL without one, and a scale beyond the
 * precision one of as many digits as the scale.
 *
 * Arrays, maps and tuples are never nullable (format/sw_column.h).
 *
 * Everything here throws.  Results are palloc'd in the current context;
 * nothing else need be kept.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TYPE_MAP_H
#define SW_TYPE_MAP_H

#include "format/sw_column.h"
#include "source/sw_query.h"

/* What the source gives for a column. */
typedef struct SwSourceType
{
	Oid			type;			/* not a domain: its base type */
	int32		typmod;			/* -1 = none */
	int			n_dimensions;	/* of an array, as declared; 0 = not said */
	bool		is_not_null;	/* a column of the relation declared so */
} SwSourceType;

/* What its column is to be. */
typedef struct SwTypeWish
{
	bool		is_key;			/* never nullable */
	bool		has_time;		/* the target has a type for times of day
								 * (SwDialect.has_time) */
	const char *target_type;	/* the user's word, or NULL (sw_type_wish.h);
								 * the value travels as the map says, but a
								 * numeric as what is wished for, and the load
								 * converts it */
} SwTypeWish;

/*
 * The type of expression (NULL: the relation's column of that name) over one
 * row of relation.  To be called inside sw_identity_enter().
 */
extern void sw_type_map_resolve(Oid relation, const char *column,
								const char *expression, SwSourceType *source);

/* Make the column's spec, with all its members.  name is not copied. */
extern void sw_type_map_make_spec(SwColumnSpec *spec, const char *name,
								  const SwSourceType *source,
								  const SwTypeWish *wish);

/*
 * What becomes of a null in a column that was made so: a null where it can
 * be one (containers: an empty value), else what the policy says of rows
 * that cannot be exported.
 */
extern SwOnNull sw_type_map_get_on_null(const SwColumnSpec *spec);

/* Is it the type hstore of the extension of that name? */
extern bool sw_type_map_is_hstore(Oid type);

#endif							/* SW_TYPE_MAP_H */
