/*-------------------------------------------------------------------------
 *
 * sw_json_rule.h
 *	  What is declared of the members of JSON documents, ready for lookup.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_JSON_RULE_H
#define SW_JSON_RULE_H

typedef struct SwJsonRule SwJsonRule;

/* What is declared of the members of one object. */
typedef struct SwJsonRules
{
	uint64		lengths;		/* bit n: there is a name of n bytes, modulo
								 * 64 */
	SwJsonRule *rules;			/* sorted by length, then bytes */
	int			n_rules;
} SwJsonRules;

struct SwJsonRule
{
	const char *name;
	int			n_name;
	bool		is_datetime;
	bool		is_array;
	SwJsonRules below;			/* of the members of the value */
};

/*
 * Add what is declared of the property at a path, below rules; names are
 * copied into the current context.  Lookups come after the last addition.
 */
extern void sw_json_rules_add(SwJsonRules *rules, const char *path,
							  bool is_datetime, bool is_array);

extern const SwJsonRule *sw_json_rules_search(const SwJsonRules *rules,
											  const char *name, int n_name);

/* What is declared of a member, or NULL. */
static inline const SwJsonRule *
sw_json_rules_find(const SwJsonRules *rules, const char *name, int n_name)
{
	if ((rules->lengths >> (n_name & 63) & 1) == 0)
		return NULL;
	return sw_json_rules_search(rules, name, n_name);
}

#endif							/* SW_JSON_RULE_H */
