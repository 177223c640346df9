package sqlstore

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/oklog/ulid/v2"
)

// newID returns a ULID (https://github.com/ulid/spec) whose order among all
// others is the order of the transactions that made them: after the time come
// the low 40 bits of the revision, and only then chance. A transaction makes
// one id at most.
func (tx *transaction) newID() (string, error) {
	var id ulid.ULID
	if err := id.SetTime(ulid.Timestamp(tx.now)); err != nil {
		return "", err
	}
	var revision [8]byte
	binary.BigEndian.PutUint64(revision[:], uint64(tx.revision))
	entropy := append(revision[3:], 0, 0, 0, 0, 0)
	rand.Read(entropy[5:]) // never fails
	err := id.SetEntropy(entropy)
	return id.String(), err
}
