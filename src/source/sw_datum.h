/*-------------------------------------------------------------------------
 *
 * sw_datum.h
 *	  Readers of values, chosen once per read: private to src/source.
 *
 * A column of the batch and everything in it has a reader of its own, so
 * their tree is that of the column's spec.  Which function reads a value
 * follows from the type of the column and the type of the server; the
 * functions of a family of types are in one file:
 *
 *	  sw_read_number.c		booleans, integers, floats, decimals
 *	  sw_read_time.c		dates, times and instants
 *	  sw_read_text.c		texts, bytes, UUIDs, enums, and the text of all
 *							types that no other function reads
 *	  sw_read_json.c		JSON
 *	  sw_read_nested.c		arrays, maps, tuples
 *
 * Values are read in the context of the row, which is reset after it.  What
 * may be large is freed at once, so that a row takes the memory of its
 * largest value and not of all.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_DATUM_H
#define SW_DATUM_H

#include "format/sw_column.h"
#include "source/sw_value.h"

/*
 * Append one value that is not null.  False: the row is to be left out;
 * what it has put into the batch so far is forgotten.  Throws.
 */
typedef bool (*SwDatumAppend) (SwDatumReader *reader, Datum value,
							   SwColumn *column);

/* Make the reader's state and children. */
typedef void (*SwDatumPrepare) (SwDatumReader *reader);

struct SwDatumReader
{
	SwDatumAppend append;
	SwValueReader *rows;		/* what all readers share */
	const SwColumnSpec *spec;
	Oid			server_type;	/* no domain */
	SwOnNull	on_null;
	bool		is_member;		/* of a container */
	bool		is_day;			/* decides in which partition a row is */
	SwDatumReader *children;	/* one for each of the spec's */
	void	   *state;			/* of the family */
};

typedef struct SwDatumFamily
{
	SwType		type;
	Oid			server_type;
	SwDatumAppend append;
	SwDatumPrepare prepare;		/* NULL: nothing to do */
} SwDatumFamily;

/* Of plain types; ends with an entry without a function. */
extern const SwDatumFamily sw_read_number_families[];
extern const SwDatumFamily sw_read_time_families[];
extern const SwDatumFamily sw_read_text_families[];
extern const SwDatumFamily sw_read_json_families[];

/* ---- sw_datum.c ---- */

/*
 * Choose who reads values of server_type into a column of spec.  rows and
 * spec outlive the reader, whose memory is the current context's.  Throws
 * where the one cannot become the other.
 */
extern void sw_datum_init(SwDatumReader *reader, SwValueReader *rows,
						  const SwColumnSpec *spec, Oid server_type,
						  SwOnNull on_null, bool is_member);

/* The column's type cannot be made of the server's.  Throws. */
extern void sw_datum_refuse_type(const SwDatumReader *reader);

/* Append a null as on_null says.  False as for SwDatumAppend. */
extern bool sw_datum_append_null(SwDatumReader *reader, SwColumn *column);

/* ---- sw_problem.c ---- */

typedef struct SwProblem
{
	int			sqlstate;
	const char *what;			/* "timestamp "infinity"", a null */
	const char *why;			/* a sentence, or NULL */
	bool		can_be_null;
	bool		has_nearest;	/* a nearest value that the target holds */
	bool		has_text;		/* a text, and the column is one */
} SwProblem;

typedef enum SwVerdict
{
	SW_VERDICT_NULL,
	SW_VERDICT_NEAREST,
	SW_VERDICT_TEXT,
	SW_VERDICT_SKIP				/* leave out the row */
} SwVerdict;

/*
 * What becomes of a value that the target cannot hold; it is counted.
 * Throws where the policy is that, or nothing else is possible.
 */
extern SwVerdict sw_problem_judge(SwDatumReader *reader, const SwProblem *problem);

/* May a null stand for the reader's value? */
extern bool sw_problem_can_be_null(const SwDatumReader *reader);

/* Where the row is: "row 5 of the read, with trace_id "x", ssid 7". */
extern char *sw_problem_describe_row(const SwValueReader *rows);

/* ---- sw_read_text.c ---- */

/*
 * Append a text of the server's encoding, in UTF-8.  False as for
 * SwDatumAppend.
 */
extern bool sw_read_append_text(SwDatumReader *reader, const char *bytes,
								Size n_bytes, SwColumn *column);

/* What the type's own function prints; prepare it first. */
extern bool sw_read_append_output(SwDatumReader *reader, Datum value,
								  SwColumn *column);
extern void sw_read_prepare_output(SwDatumReader *reader);

extern bool sw_read_append_enum(SwDatumReader *reader, Datum value,
								SwColumn *column);
extern void sw_read_prepare_enum(SwDatumReader *reader);

/* ---- sw_read_nested.c ---- */

extern void sw_read_prepare_array(SwDatumReader *reader);
extern void sw_read_prepare_map(SwDatumReader *reader);
extern void sw_read_prepare_tuple(SwDatumReader *reader);

/* An array as JSON text. */
extern bool sw_read_append_array_text(SwDatumReader *reader, Datum value,
									  SwColumn *column);

#endif							/* SW_DATUM_H */
