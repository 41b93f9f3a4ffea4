/*-------------------------------------------------------------------------
 *
 * common_backoff.c
 *	  Back-off: bounds, growth, overflow.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include <limits.h>

#include "common/sw_backoff.h"
#include "unit.h"

int
main(void)
{
	static const int ceilings[] = {100, 200, 400, 800, 1000, 1000};
	bool		bounded = true;
	int			attempt;

	for (attempt = 1; attempt <= 6; attempt++)
	{
		int			ceiling = ceilings[attempt - 1];
		uint64		random_bits;

		bounded = bounded &&
			sw_backoff_delay_ms(attempt, 100, 1000, 0) == ceiling / 2 &&
			sw_backoff_delay_ms(attempt, 100, 1000, PG_UINT32_MAX) == ceiling;
		for (random_bits = 0; random_bits <= PG_UINT32_MAX;
			 random_bits += 99999989)
		{
			int			delay = sw_backoff_delay_ms(attempt, 100, 1000,
													(uint32) random_bits);

			bounded = bounded && delay >= ceiling / 2 && delay <= ceiling;
		}
	}
	unit_ok(bounded, "between half the ceiling and the ceiling");
	unit_is_int(sw_backoff_delay_ms(1, 100, 1000, 0x80000000), 75,
				"half the random range is half the jitter");
	unit_is_int(sw_backoff_delay_ms(INT_MAX, 100, INT_MAX, PG_UINT32_MAX),
				INT_MAX, "a great many attempts don't overflow");
	unit_is_int(sw_backoff_delay_ms(1, 5000, 1000, PG_UINT32_MAX), 1000,
				"a base over the maximum is the maximum");
	unit_is_int(sw_backoff_delay_ms(5, 0, 1000, 0), 0,
				"a base of zero waits for nothing");
	unit_is_int(sw_backoff_delay_ms(0, 100, 1000, 0), 50,
				"attempt zero counts as the first");
	return unit_done();
}
