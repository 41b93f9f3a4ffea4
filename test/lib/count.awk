# count.awk: counts the results in the output of a test program.
#
#   awk -v kind=KIND -f count.awk FILE     prints "PASSED FAILED SKIPPED"
#
# KIND: tap      "ok 1 - ..." and "not ok 1 - ..." lines at the left edge, as
#                our lints, unit programs, prove and pg_prove print them
#       node     the closing lines of node's test runner
#       regress  the lines of pg_regress, up to version 15 and since

function result(good, line) {
	if (line ~ /# *(SKIP|skip|TODO)/)
		skipped++
	else if (good)
		passed++
	else
		failed++
}

kind == "tap" && /^(not )?ok [0-9]/ { result(/^ok/, $0) }

kind == "node" && /^(#|ℹ) (pass|fail|cancelled|skipped|todo) [0-9]+/ {
	if ($2 == "pass")
		passed += $3
	else if ($2 == "fail" || $2 == "cancelled")
		failed += $3
	else
		skipped += $3
}

kind == "regress" && /^(not )?ok [0-9]/ { result(/^ok/, $0) }
kind == "regress" && /^(test| ) .*\.\.\. (ok|FAILED)/ { result(/\.\.\. ok/, "") }

END { print passed + 0, failed + 0, skipped + 0 }
