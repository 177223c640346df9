//go:build onecommit

package sqlstore

// maxCompany is for `make bench PLAN=writes`, which tells what it is worth that
// writes share commits: here they do not. It is in no program that is shipped.
const maxCompany = 1
