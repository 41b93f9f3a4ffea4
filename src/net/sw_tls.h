/*-------------------------------------------------------------------------
 *
 * sw_tls.h
 *	  TLS (1.2 and later) on top of a connected socket.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TLS_H
#define SW_TLS_H

#include "net/sw_stream.h"

/* libpq's words, less those that fall back to plain text. */
typedef enum SwTlsMode
{
	SW_TLS_DISABLE,				/* no TLS */
	SW_TLS_REQUIRE,				/* TLS with whoever answers */
	SW_TLS_VERIFY_CA,			/* who holds a certificate we trust */
	SW_TLS_VERIFY_FULL			/* and that names the host */
} SwTlsMode;

typedef struct SwTlsOptions
{
	SwTlsMode	mode;			/* not DISABLE */
	const char *host;			/* for SNI and the certificate's name; a name
								 * or an address */
	const char *root_file;		/* trusted certificates; NULL or "" = those of
								 * the system */
} SwTlsOptions;

/* NULL and "" mean verify-full.  SW_ERR_CONFIG for an unknown word. */
extern SwStatus sw_tls_parse_mode(const char *word, SwTlsMode *mode,
								  SwError *err);

/*
 * Shake hands over an open stream of the same context.  *stream_out takes
 * over the lower stream; it is untouched on error, and the lower one is
 * still the caller's then.  Errors: SW_ERR_TLS (SW_RETRY_NEVER when the
 * certificate is at fault or the peer speaks no TLS), SW_ERR_TIMEOUT,
 * SW_ERR_CONFIG for the root file.  May throw while it waits.
 */
extern SwStatus sw_tls_open(SwStream *lower, const SwTlsOptions *options,
							int64 deadline_ms, SwWaitEvent event,
							MemoryContext cxt, SwStream **stream_out,
							SwError *err);

#endif							/* SW_TLS_H */
