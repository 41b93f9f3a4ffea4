/*-------------------------------------------------------------------------
 *
 * sw_version.h
 *	  Version of the library, as META.json says (the SQL objects have a
 *	  version of their own, in the control file).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_VERSION_H
#define SW_VERSION_H

#define SW_VERSION "1.0.0"

#endif							/* SW_VERSION_H */
