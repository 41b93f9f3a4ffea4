/*-------------------------------------------------------------------------
 *
 * sw_numeric.h
 *	  A numeric as the server stores it, taken apart without a copy.
 *
 * The layout is private to the server's numeric.c, but it is on disk, so the
 * same in PostgreSQL 9.1 to 18 (sources: src/backend/utils/adt/numeric.c of
 * 15 to 18).  After the length word of a varlena:
 *
 *	  uint16 header
 *		 11.. .... .... ....  NaN or an infinity; nothing follows
 *		 10sd dddd dwww wwww  short: s sign, d scale, w weight in two's
 *							  complement; digits follow
 *		 0sdd dddd dddd dddd  long: s sign, d scale; int16 weight and digits
 *							  follow
 *	  int16 digits[]		  0 .. 9999 each, the first of them worth
 *							  10000 ^ weight; no zeros at either end
 *
 * The scale is how many decimal digits are shown after the point.  All in
 * host byte order, aligned to 2 bytes where the varlena is not packed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_NUMERIC_H
#define SW_NUMERIC_H

#include "port/sw_compat.h"

/* Decimal digits in each stored one. */
#define SW_NUMERIC_DIGITS	4

typedef struct SwNumericView
{
	const int16 *digits;
	int			n_digits;		/* 0: the number is zero */
	int			weight;
	int			scale;
	bool		is_negative;
} SwNumericView;

/*
 * False for NaN and infinities.  numeric is neither compressed nor out of
 * line nor has it a header of one byte; the view points into it.
 */
static inline bool
sw_numeric_look(const struct varlena *numeric, SwNumericView *view)
{
	const char *data = VARDATA(numeric);
	int			n_bytes = VARSIZE(numeric) - VARHDRSZ;
	uint16		header = *(const uint16 *) data;
	int			n_header_bytes = sizeof(uint16);

	if ((header & 0xC000) == 0xC000)
		return false;
	if ((header & 0x8000) != 0)
	{
		view->is_negative = (header & 0x2000) != 0;
		view->scale = (header & 0x1F80) >> 7;
		view->weight = (header & 0x3F) - (header & 0x40);
	}
	else
	{
		view->is_negative = (header & 0x4000) != 0;
		view->scale = header & 0x3FFF;
		view->weight = *(const int16 *) (data + sizeof(uint16));
		n_header_bytes += sizeof(int16);
	}
	view->digits = (const int16 *) (data + n_header_bytes);
	view->n_digits = (n_bytes - n_header_bytes) / (int) sizeof(int16);
	return true;
}

#endif							/* SW_NUMERIC_H */
