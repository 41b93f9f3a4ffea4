/*-------------------------------------------------------------------------
 *
 * sw_problem.h
 *	  Values that the target cannot hold: the policy, and its counts.
 *
 *	  problem					null	clamp		text	skip
 *	  ----------------------------------------------------------------------
 *	  NaN, or digits behind
 *	  the scale, in a DECIMAL	null	null		error	row left out
 *	  infinity or too many
 *	  digits in a DECIMAL		null	largest		error	row left out
 *	  infinity, or a date or
 *	  time out of range			null	first,last	error	row left out
 *	  array of more than one
 *	  dimension in an ARRAY		empty	in one		error	row left out
 *									dimension
 *	  text that is not UTF-8	null	U+FFFD		\xNN	row left out
 *	  in JSON (sw_json.h)		null	nearest		text	row left out
 *	  null in a column that
 *	  can hold none				error	error		error	row left out
 *	  day of an event			error	error		error	row left out
 *
 * "null" needs a place that can hold one: where it cannot, it is an error;
 * members of arrays, values of maps and fields of tuples always can, keys and
 * columns declared NOT NULL cannot.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_PROBLEM_H
#define SW_PROBLEM_H

/* What was done in one column. */
typedef struct SwProblemCount
{
	uint64		n_nulled;		/* values that became nulls */
	uint64		n_clamped;
	uint64		n_as_text;
	uint64		n_skipped;		/* rows left out because of it */
	char	   *example;		/* the first of them, in a sentence; NULL when
								 * there were none */
} SwProblemCount;

#endif							/* SW_PROBLEM_H */
