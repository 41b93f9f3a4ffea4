/*-------------------------------------------------------------------------
 *
 * sw_texts.h
 *	  Arrays of text as rows of the catalog have them, and as C has them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TEXTS_H
#define SW_TEXTS_H

/* A text[], palloc'd. */
extern struct varlena *sw_texts_make(const char *const *texts, int n_texts);

/*
 * The members of a text[], palloc'd; NULL has none.  Throws when one is null;
 * column is for the message.
 */
extern const char **sw_texts_get(const struct varlena *array,
								 const char *column, int *n_texts);

/* Is it one of them? */
extern bool sw_texts_have(const char *const *texts, int n_texts,
						  const char *text);

#endif							/* SW_TEXTS_H */
