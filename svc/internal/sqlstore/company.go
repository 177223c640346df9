//go:build !onecommit

package sqlstore

// maxCompany bounds the writes of one commit, and thereby how long the first of
// them waits for the others.
const maxCompany = 64
