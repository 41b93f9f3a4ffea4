/*-------------------------------------------------------------------------
 *
 * sw_dictionary.h
 *	  The distinct strings of a column, numbered in the order in which they
 *	  arrive; and whether that pays.
 *
 * What it holds is bounded; finding a string takes bounded time whatever
 * strings there are.  The numbers do not depend on how strings are found, so
 * the same strings always get the same ones.
 *
 * All memory is palloc'd in the context that is current at init, and grows
 * in place.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_DICTIONARY_H
#define SW_DICTIONARY_H

#include "common/sw_bytes.h"

/* The most that one holds. */
#define SW_DICTIONARY_BYTES (1024 * 1024)
#define SW_DICTIONARY_ENTRIES (64 * 1024)
/* From this many entries on, it can be seen whether one pays. */
#define SW_DICTIONARY_TRIAL 1000

typedef struct SwDictionaryEntry
{
	uint32		position;		/* of the bytes in values */
	uint32		n_bytes;
} SwDictionaryEntry;

typedef struct SwDictionarySlot
{
	uint32		hash;
	uint32		number;			/* of the entry, counted from 1; 0 = free */
} SwDictionarySlot;

typedef struct SwDictionary
{
	SwBuffer	values;			/* of each entry 32-bit length, bytes */
	uint64		n_values;		/* found or added since the last reset */
	uint32		n_entries;
	uint32		entries_allocated;
	SwDictionaryEntry *entries;
	uint32		n_slots;		/* a power of two */
	SwDictionarySlot *slots;
} SwDictionary;

typedef enum SwDictionaryLookup
{
	SW_DICTIONARY_KNOWN,
	SW_DICTIONARY_ADDED,
	SW_DICTIONARY_FULL			/* not there, and no room for it */
} SwDictionaryLookup;

extern void sw_dictionary_init(SwDictionary *dictionary);

/* Forget all; give back what is beyond kept_bytes. */
extern void sw_dictionary_reset(SwDictionary *dictionary, Size kept_bytes);

/* Bytes of memory that it has allocated. */
extern Size sw_dictionary_allocated(const SwDictionary *dictionary);

/* Find a value or add it; *entry is set unless SW_DICTIONARY_FULL. */
extern SwDictionaryLookup sw_dictionary_find(SwDictionary *dictionary,
											 const char *bytes, Size n,
											 uint32 *entry);
extern const char *sw_dictionary_get(const SwDictionary *dictionary,
									 uint32 entry, Size *n);

/* Is at least every second value a repetition? */
static inline bool
sw_dictionary_pays(const SwDictionary *dictionary)
{
	return (uint64) dictionary->n_entries * 2 <= dictionary->n_values;
}

/* Is it clear that it does not pay? */
static inline bool
sw_dictionary_is_hopeless(const SwDictionary *dictionary)
{
	return dictionary->n_entries > SW_DICTIONARY_TRIAL &&
		!sw_dictionary_pays(dictionary);
}

#endif							/* SW_DICTIONARY_H */
