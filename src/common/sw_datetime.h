/*-------------------------------------------------------------------------
 *
 * sw_datetime.h
 *	  Date-times as programs write them: reading, and one way of writing.
 *
 * Pure.  A time is a count of milliseconds since 1970-01-01 00:00, of UTC
 * where the text says how far off it is, else of a wall clock somewhere.
 * Days are those of the Gregorian calendar, at all times.  What is finer than
 * a millisecond is cut towards the past.
 *
 * Texts that are read:
 *
 *	  2024-02-29, 20240229			midnight
 *	  <date>T<time>					the T may be a t or a blank, or be
 *									missing: 20240229101112
 *	  <time>						10, 10:11, 10:11:12, 10:11:12.5 (or ,5;
 *									any number of digits), 1011, 101112;
 *									24:00:00 is the next day's midnight, a
 *									second 60 the next minute's first
 *	  <date>T<time><offset>			Z, +08, +0800, +08:00, +08:05:43, of less
 *									than 16 hours; a blank may come before
 *	  a number						of time units since 1970, where 9 digits or
 *									more, but not 14, are before the point,
 *									and no exponent: shorter ones are more
 *									likely years or the like
 *
 * Of a number without a unit the magnitude decides, by the digits before
 * the point: up to 11 are seconds (until the year 5138), up to 14
 * milliseconds, up to 17 microseconds; more are not read.  So milliseconds
 * before 1973-03-03 and microseconds before 1973-03-03 are taken for the
 * next larger unit.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_DATETIME_H
#define SW_DATETIME_H

/* The first and the last millisecond of years 1 to 9999. */
#define SW_DATETIME_MIN_MS	INT64CONST(-62135596800000)
#define SW_DATETIME_MAX_MS	INT64CONST(253402300799999)

/* "YYYY-MM-DD HH:MM:SS.fff" */
#define SW_DATETIME_BYTES	23

typedef struct SwDateTime
{
	int64		ms;				/* may be out of years 1 to 9999 */
	bool		is_local;		/* of a wall clock; else of UTC */
} SwDateTime;

typedef enum SwEpochUnit
{
	SW_EPOCH_BY_MAGNITUDE,
	SW_EPOCH_MS
} SwEpochUnit;

/* Read a text of the forms above; false when it is none. */
extern bool sw_datetime_parse_text(const char *text, Size n_bytes,
								   SwDateTime *result);

/*
 * Read a number as JSON writes them (an exponent, or a sign "+", are fine
 * too); false when it is none, or too large.
 */
extern bool sw_datetime_parse_epoch(const char *text, Size n_bytes,
									SwEpochUnit unit, SwDateTime *result);

/*
 * Write SW_DATETIME_BYTES bytes, without a NUL; ms is that of a wall clock,
 * between the limits above.
 */
extern void sw_datetime_format(int64 ms, char *text);

#endif							/* SW_DATETIME_H */
