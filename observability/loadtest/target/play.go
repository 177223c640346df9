package target

import (
	"context"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/scenarios"
)

// Turns returns a function that makes request i of a load with this mix. What
// share an operation has is exact over each cycle, not left to chance.
func (w *World) Turns(ctx context.Context, mix scenarios.Mix) func(i int) load.Outcome {
	all := cycle(mix)
	return func(i int) load.Outcome {
		t := all[i%len(all)](w)
		answer := w.client.Do(ctx, t.Call)
		if t.learn != nil && answer.Err == nil {
			t.learn(answer)
		}
		return answer.Outcome
	}
}
