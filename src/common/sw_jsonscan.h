/*-------------------------------------------------------------------------
 *
 * sw_jsonscan.h
 *	  Find one field in a small JSON object that a peer sent.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_JSONSCAN_H
#define SW_JSONSCAN_H

/*
 * Find the first top-level field of that name in the object json[0 .. len)
 * and copy its decoded value, NUL-terminated, to out; a value that doesn't
 * fit is cut at a character boundary.  out_size is at least 1.
 *
 * False, and "" in out, if the text is not an object, is malformed before
 * the end of the field, has no such field, or has one that is not a string.
 * What comes after the field is not looked at.
 *
 * Bytes that are not UTF-8 are copied as they are; NUL and lone surrogates
 * written as escapes become U+FFFD.
 */
extern bool sw_json_find_string(const char *json, Size len,
								const char *field, char *out, Size out_size);

#endif							/* SW_JSONSCAN_H */
