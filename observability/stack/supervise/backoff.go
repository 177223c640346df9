package supervise

import "time"

// backoff says how long to wait before a program that died is started again:
// twice as long each time, from the first step again after it ran well.
type backoff struct {
	first, most time.Duration
	ranWell     time.Duration // a run of this length was no failed start
	step        time.Duration
}

// next returns the pause after a run that lasted ran.
func (b *backoff) next(ran time.Duration) time.Duration {
	if b.step == 0 || ran >= b.ranWell {
		b.step = b.first
	} else {
		b.step = min(2*b.step, b.most)
	}
	return b.step
}
