/*-------------------------------------------------------------------------
 *
 * sw_json_limits.h
 *	  What documents a warehouse's own JSON type can hold.
 *
 * A dialect says so of its warehouse, the writer of JSON goes by it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_JSON_LIMITS_H
#define SW_JSON_LIMITS_H

typedef struct SwJsonLimits
{
	int			max_depth;		/* containers around each other */
	int			max_name_bytes; /* of a member's name in UTF-8, which is then
								 * not empty either; 0: any name */

	/*
	 * Documents are objects, taken apart into values by path, the names with
	 * dots in between; so no two values may have one path.
	 */
	bool		is_flat;
} SwJsonLimits;

#endif							/* SW_JSON_LIMITS_H */
