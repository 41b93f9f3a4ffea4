/*-------------------------------------------------------------------------
 *
 * sw_crc64_fold.c
 *	  The CRC-64 of many bytes by carry-less multiplication.
 *
 * Pure; never throws.  Compiled for every processor that may have the
 * instruction, used where the one at hand has it; elsewhere the tables of
 * sw_crc64.c do the work.
 *
 * Four lanes of 16 bytes walk over the input 64 bytes a step, or four of
 * twice 16 bytes where there are registers for that.  A lane that
 * moves on by D bits is multiplied by x^D: its first eight bytes, which are
 * 64 powers higher, by x^(D+64), its last eight by x^D, each modulo the
 * polynomial; then the bytes that lie there are added.  The product of two
 * reflected numbers comes out one power too high, so the factors are one
 * power lower.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_crc64.h"
#include "common/sw_crc64_fold.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define SW_CRC64_FOLDER		__attribute__((target("pclmul")))
#if defined(__clang__) || __GNUC__ >= 8
#define SW_CRC64_WIDE_FOLDER __attribute__((target("avx2,vpclmulqdq")))
#endif

typedef __m128i SwCrc64Lane;

static int
sw_crc64_lane_bytes(void)
{
	if (__builtin_cpu_supports("pclmul") == 0)
		return 0;
#ifdef SW_CRC64_WIDE_FOLDER
	if (__builtin_cpu_supports("avx2") != 0 &&
		__builtin_cpu_supports("vpclmulqdq") != 0)
		return 32;
#endif
	return 16;
}

static inline SwCrc64Lane
sw_crc64_load_lane(const uint8 *p)
{
	return _mm_loadu_si128((const __m128i *) p);
}

static inline void
sw_crc64_store_lane(uint8 *p, SwCrc64Lane lane)
{
	_mm_storeu_si128((__m128i *) p, lane);
}

static inline SwCrc64Lane
sw_crc64_make_lane(uint64 low, uint64 high)
{
	return _mm_set_epi64x((long long) high, (long long) low);
}

static inline SwCrc64Lane
sw_crc64_add_lanes(SwCrc64Lane a, SwCrc64Lane b)
{
	return _mm_xor_si128(a, b);
}

SW_CRC64_FOLDER static inline SwCrc64Lane
sw_crc64_move_lane(SwCrc64Lane lane, SwCrc64Lane factors, SwCrc64Lane there)
{
	SwCrc64Lane low = _mm_clmulepi64_si128(lane, factors, 0x00);
	SwCrc64Lane high = _mm_clmulepi64_si128(lane, factors, 0x11);

	return _mm_xor_si128(_mm_xor_si128(low, high), there);
}

#elif defined(__aarch64__) && defined(__GNUC__) && defined(__linux__) && \
	!defined(WORDS_BIGENDIAN)

#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#ifdef __clang__
#define SW_CRC64_FOLDER		__attribute__((target("aes")))
#else
#define SW_CRC64_FOLDER		__attribute__((target("+crypto")))
#endif

typedef uint64x2_t SwCrc64Lane;

static int
sw_crc64_lane_bytes(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_PMULL) != 0 ? 16 : 0;
}

static inline SwCrc64Lane
sw_crc64_load_lane(const uint8 *p)
{
	return vreinterpretq_u64_u8(vld1q_u8(p));
}

static inline void
sw_crc64_store_lane(uint8 *p, SwCrc64Lane lane)
{
	vst1q_u8(p, vreinterpretq_u8_u64(lane));
}

static inline SwCrc64Lane
sw_crc64_make_lane(uint64 low, uint64 high)
{
	return vcombine_u64(vcreate_u64(low), vcreate_u64(high));
}

static inline SwCrc64Lane
sw_crc64_add_lanes(SwCrc64Lane a, SwCrc64Lane b)
{
	return veorq_u64(a, b);
}

SW_CRC64_FOLDER static inline SwCrc64Lane
sw_crc64_move_lane(SwCrc64Lane lane, SwCrc64Lane factors, SwCrc64Lane there)
{
	SwCrc64Lane low =
	vreinterpretq_u64_p128(vmull_p64(vgetq_lane_u64(lane, 0),
									 vgetq_lane_u64(factors, 0)));
	SwCrc64Lane high =
	vreinterpretq_u64_p128(vmull_p64(vgetq_lane_u64(lane, 1),
									 vgetq_lane_u64(factors, 1)));

	return veorq_u64(veorq_u64(low, high), there);
}

#endif

#ifdef SW_CRC64_FOLDER

SW_CRC64_FOLDER static void
sw_crc64_fold_lanes(uint64 crc, const uint8 *bytes, Size n, uint8 *folded)
{
	static uint64 powers[4];
	SwCrc64Lane lane[4];
	SwCrc64Lane factors;

	if (powers[3] == 0)
	{
		powers[0] = sw_crc64_power(512 + 64 - 1);
		powers[1] = sw_crc64_power(512 - 1);
		powers[2] = sw_crc64_power(128 + 64 - 1);
		powers[3] = sw_crc64_power(128 - 1);
	}

	for (int i = 0; i < 4; i++)
		lane[i] = sw_crc64_load_lane(bytes + 16 * i);
	lane[0] = sw_crc64_add_lanes(lane[0], sw_crc64_make_lane(crc, 0));

	factors = sw_crc64_make_lane(powers[0], powers[1]);
	for (n -= 64, bytes += 64; n > 0; n -= 64, bytes += 64)
	{
		for (int i = 0; i < 4; i++)
			lane[i] = sw_crc64_move_lane(lane[i], factors,
										 sw_crc64_load_lane(bytes + 16 * i));
	}

	factors = sw_crc64_make_lane(powers[2], powers[3]);
	for (int i = 1; i < 4; i++)
		lane[i] = sw_crc64_move_lane(lane[i - 1], factors, lane[i]);
	sw_crc64_store_lane(folded, lane[3]);
}

#endif							/* SW_CRC64_FOLDER */

#ifdef SW_CRC64_WIDE_FOLDER

/* As above, to the SW_CRC64_FOLD_STEP bytes of four lanes of twice 16. */
SW_CRC64_WIDE_FOLDER static void
sw_crc64_fold_wide_lanes(uint64 crc, const uint8 *bytes, Size n,
						 uint8 *folded)
{
	static uint64 powers[2];
	__m256i		lane[4];
	__m256i		factors;

	if (powers[1] == 0)
	{
		powers[0] = sw_crc64_power(1024 + 64 - 1);
		powers[1] = sw_crc64_power(1024 - 1);
	}
	factors = _mm256_set_epi64x((long long) powers[1], (long long) powers[0],
								(long long) powers[1], (long long) powers[0]);

	for (int i = 0; i < 4; i++)
		lane[i] = _mm256_loadu_si256((const __m256i *) (bytes + 32 * i));
	lane[0] = _mm256_xor_si256(lane[0],
							   _mm256_set_epi64x(0, 0, 0, (long long) crc));
	for (n -= 128, bytes += 128; n > 0; n -= 128, bytes += 128)
	{
		for (int i = 0; i < 4; i++)
		{
			__m256i		low = _mm256_clmulepi64_epi128(lane[i], factors, 0x00);
			__m256i		high = _mm256_clmulepi64_epi128(lane[i], factors, 0x11);
			__m256i		there =
			_mm256_loadu_si256((const __m256i *) (bytes + 32 * i));

			lane[i] = _mm256_xor_si256(_mm256_xor_si256(low, high), there);
		}
	}
	for (int i = 0; i < 4; i++)
		_mm256_storeu_si256((__m256i *) (folded + 32 * i), lane[i]);
}

#endif							/* SW_CRC64_WIDE_FOLDER */

bool
sw_crc64_fold(uint64 crc, const uint8 *bytes, Size n, uint8 *folded)
{
#ifdef SW_CRC64_FOLDER
	static int	lane_bytes = -1;

	Assert(n >= SW_CRC64_FOLD_MIN && n % SW_CRC64_FOLD_STEP == 0);
	if (unlikely(lane_bytes < 0))
		lane_bytes = sw_crc64_lane_bytes();
	if (lane_bytes == 0)
		return false;
#ifdef SW_CRC64_WIDE_FOLDER
	if (lane_bytes == 32)
	{
		uint8		wide[SW_CRC64_FOLD_STEP];

		sw_crc64_fold_wide_lanes(crc, bytes, n, wide);
		sw_crc64_fold_lanes(0, wide, sizeof(wide), folded);
		return true;
	}
#endif
	sw_crc64_fold_lanes(crc, bytes, n, folded);
	return true;
#else
	(void) crc;
	(void) bytes;
	(void) n;
	(void) folded;
	return false;
#endif
}
