/*-------------------------------------------------------------------------
 *
 * postgres.h
 *	  Stands in for the server's file of this name.
 *
 * Sources above the pure floors that need nothing of the server but its
 * types are fuzzed without it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"
