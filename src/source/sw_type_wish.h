/*-------------------------------------------------------------------------
 *
 * sw_type_wish.h
 *	  Types that users wish for their columns, in the warehouse's words.
 *
 * The load statement casts to them, and a cast of the warehouse wraps, cuts
 * and rounds without a word.  So a wish is granted only where each value
 * either arrives unchanged, or is found by its reader before it leaves, or
 * makes the cast fail.  Times may be cut to what the type resolves, towards
 * the past.  A leaf of a type may become
 *
 *	  STRING, ENUM		String, Enum8, Enum16; STRING also IPv4, IPv6
 *	  BYTES, JSON		String
 *	  BOOL				Bool, String, integers
 *	  integers			integers, Float32, Float64 and Decimals that hold the
 *						number exactly; String
 *	  FLOAT32, FLOAT64	Float64, String; FLOAT32 also Float32
 *	  numeric			Decimal; Float32 and Float64 whose shortest decimal
 *						text is the number; String
 *	  UUID				UUID, String
 *	  DATE				Date, Date32, DateTime, DateTime64, String
 *	  TIME_US			Time64 of 6 digits or more, String
 *	  TIMESTAMP_US		Date, Date32, DateTime, DateTime64, String
 *	  DATETIME_US		the same, but the zone of DateTime and DateTime64 has
 *						to be UTC: a wall clock is not moved
 *
 * and containers become containers of such members.
 *
 * Functions that return text palloc it in the current context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TYPE_WISH_H
#define SW_TYPE_WISH_H

#include "format/sw_column.h"

/*
 * Refuse a text that cannot be the name of a type of a warehouse: it goes
 * into statements.  Throws.
 */
extern void sw_type_wish_check(const char *column, const char *type);

/*
 * Is it that type, with whatever arguments, in a Nullable or LowCardinality
 * or not?  type may be NULL: no.
 */
extern bool sw_type_wish_is(const char *type, const char *name);

/* Digits of a Decimal and those after its point; false: it is none such. */
extern bool sw_type_wish_get_decimal(const char *type, int *precision,
									 int *scale);

/* Digits of a second that a DateTime64 or Time64 has; -1: it does not say. */
extern int	sw_type_wish_get_digits(const char *type);

/*
 * First and last integer of those that the type holds, where it does not
 * hold all of 64 bits.
 */
extern bool sw_type_wish_get_range(const char *type, int64 *first,
								   int64 *last);

/*
 * Make a leaf of server_type (no domain), whose spec says what it is without
 * the wish, one of the type that is wished for.  column is the one that it
 * belongs to.  Throws when that cannot be granted.
 */
extern void sw_type_wish_apply(SwColumnSpec *spec, Oid server_type,
							   const char *type, const char *column);

/*
 * The types of a container's members, as many as the spec has children:
 * type has to name such a container, and the fields of a tuple.  Throws.
 */
extern char **sw_type_wish_split(const SwColumnSpec *spec, Oid server_type,
								 const char *type, const char *column);

#endif							/* SW_TYPE_WISH_H */
