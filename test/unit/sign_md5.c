/*-------------------------------------------------------------------------
 *
 * sign_md5.c
 *	  MD5 against the examples of RFC 1321.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "sign/sw_md5.h"
#include "unit.h"

/* In two pieces, cut everywhere. */
static void
check(const char *text, const char *hex, const char *base64)
{
	Size		len = strlen(text);
	uint8		md5[SW_MD5_BYTES];
	char		got_hex[SW_MD5_HEX_SIZE];
	char		got_base64[SW_MD5_BASE64_SIZE];
	bool		good = true;
	Size		i;

	for (i = 0; i <= len; i++)
	{
		SwMd5	   *hash = sw_md5_begin();

		sw_md5_add(hash, text, i);
		sw_md5_add(hash, text + i, len - i);
		good = sw_md5_end(hash, md5) && good;
		sw_md5_format_hex(md5, got_hex);
		good = good && strcmp(got_hex, hex) == 0;
	}
	unit_ok(good, text);
	sw_md5_format_base64(md5, got_base64);
	unit_is_text(got_base64, base64, "in base64");
}

int
main(void)
{
	check("", "d41d8cd98f00b204e9800998ecf8427e", "1B2M2Y8AsgTpgAmY7PhCfg==");
	check("abc", "900150983cd24fb0d6963f7d28e17f72", "kAFQmDzST7DWlj99KOF/cg==");
	check("12345678901234567890123456789012345678901234567890123456789012345678901234567890",
		  "57edf4a22be3c955ac49da2e2107b67a", "V+30oivjyVWsSdouIQe2eg==");
	return unit_done();
}
