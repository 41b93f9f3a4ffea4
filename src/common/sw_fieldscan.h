/*-------------------------------------------------------------------------
 *
 * sw_fieldscan.h
 *	  Walk through a small XML or JSON document that a peer sent, field by
 *	  field.
 *
 * Object stores reply in XML or in JSON, with the same names in both.  A
 * field is what ends in a text; a record is what holds fields.  Both have a
 * path, the names around them joined by '/': in
 *
 *	  <List><Item><Key>a</Key></Item></List>
 *	  {"Item": [{"Key": "a"}]}
 *
 * comes first the field "Item/Key" with "a", then the end of the record
 * "Item", then the end of the record "", the document.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_FIELDSCAN_H
#define SW_FIELDSCAN_H

#define SW_FIELD_MAX_DEPTH	16
#define SW_FIELD_PATH_SIZE	192
#define SW_FIELD_VALUE_SIZE	4096

typedef enum SwFieldEvent
{
	SW_FIELD_VALUE,				/* path and value are set */
	SW_FIELD_RECORD,			/* the record at path has ended */
	SW_FIELD_END,				/* the document has ended; stays so */
	SW_FIELD_BROKEN				/* it makes no sense from here; stays so */
} SwFieldEvent;

/* A record around the place where the scan is. */
typedef struct SwFieldLevel
{
	char		kind;			/* JSON: what opened it */
	bool		has_members;
	uint16		name_at;		/* in path: where its name begins */
	uint16		n_path;			/* length of path with its name */
} SwFieldLevel;

/* Owns no memory.  The document must outlive it. */
typedef struct SwFieldScan
{
	const char *bytes;
	Size		n_bytes;
	Size		position;
	bool		is_xml;
	bool		is_begun;
	bool		is_broken;
	int			depth;
	SwFieldLevel levels[SW_FIELD_MAX_DEPTH];
	char		root[64];		/* XML: name of the outermost element */
	char		path[SW_FIELD_PATH_SIZE];
	Size		n_path;
	char		value[SW_FIELD_VALUE_SIZE]; /* decoded, NUL-terminated */
	Size		n_value;
	bool		is_cut;			/* the value was longer than that */
} SwFieldScan;

/* Which kind it is, the first byte that is not blank tells. */
extern void sw_field_scan_init(SwFieldScan *scan, const char *bytes,
							   Size n_bytes);

/*
 * The next event.  Each byte is looked at once; nesting is limited; a JSON
 * null is no field; what follows the document is not looked at.  A value
 * that does not fit is cut at a character boundary.  Bytes that are not
 * UTF-8 are passed on as they are; NUL bytes break the document, and NUL
 * and lone surrogates written as escapes become U+FFFD.
 */
extern SwFieldEvent sw_field_scan_next(SwFieldScan *scan);

/* ---- for the two grammars ---- */

extern SwFieldEvent sw_xml_scan_next(SwFieldScan *scan);
extern SwFieldEvent sw_json_scan_next(SwFieldScan *scan);

/* The byte at the cursor, or NUL at the end (and NUL is never valid). */
extern char sw_field_peek(const SwFieldScan *scan);
extern void sw_field_skip_blanks(SwFieldScan *scan);

/* Step over text if it comes next. */
extern bool sw_field_take(SwFieldScan *scan, const char *text);

extern void sw_field_clear_value(SwFieldScan *scan);
extern void sw_field_add_bytes(SwFieldScan *scan, const char *bytes, Size n);
extern void sw_field_add_code(SwFieldScan *scan, uint32 code);

/* Put the terminator, and drop half a character before a cut. */
extern void sw_field_finish_value(SwFieldScan *scan);

/* Make path the first n_path bytes of it, and a name; false = too long. */
extern bool sw_field_set_path(SwFieldScan *scan, Size n_path,
							  const char *name, Size n_name);

#endif							/* SW_FIELDSCAN_H */
