package httpapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// A patchStep is one step of a JSON Patch (RFC 6902).
type patchStep struct {
	Op    string `json:"op"` // add, remove or replace
	Path  string `json:"path"`
	Value *any   `json:"value,omitempty"` // nil for remove; null is a value
}

// jsonPatch returns the steps that turn one JSON object into another (RFC
// 6902), none when they are equal. Numbers are told apart by their text and
// keep it.
//
// It is written here because libraries have no bound: between two deep
// configurations of 40 KB gomodules.xyz/jsonpatch v2.5.0 finds a patch of 66 MB,
// as every single step spells out its path, and github.com/wI2L/jsondiff v0.7.1
// takes seconds for two of 400 KB. Here cost and result are bounded by the size
// of both: where single steps would take more room, one step replaces all.
func jsonPatch(from, to json.RawMessage) ([]patchStep, error) {
	var old, wanted any
	if err := decodeExactly(from, &old); err != nil {
		return nil, err
	}
	if err := decodeExactly(to, &wanted); err != nil {
		return nil, err
	}
	size := len(from) + len(to)
	d := differ{steps: []patchStep{}, room: max(size, freeRoom), looks: 2 * size}
	d.compare(old, wanted)
	if d.room < 0 {
		return []patchStep{{Op: "replace", Path: "", Value: &wanted}}, nil
	}
	return d.steps, nil
}

// freeRoom is how large a patch may become, in bytes, also between small
// configurations, which single steps explain best.
const freeRoom = 64 << 10

// stepRoom is what a step takes besides its path and its value, in bytes. All
// values together are no larger than what they come from.
const stepRoom = 40

// A differ walks two values side by side.
type differ struct {
	steps []patchStep
	path  []byte // to where it is, as a JSON Pointer
	room  int    // in bytes, left for steps; below 0 the rest does not matter
	looks int    // left for finding what arrays have in common
}

func (d *differ) compare(old, wanted any) {
	if d.room < 0 {
		return
	}
	switch from := old.(type) {
	case map[string]any:
		if to, ok := wanted.(map[string]any); ok {
			d.objects(from, to)
			return
		}
	case []any:
		if to, ok := wanted.([]any); ok {
			d.arrays(from, to)
			return
		}
	default:
		if isScalar(wanted) && old == wanted {
			return
		}
	}
	d.step("replace", &wanted)
}

func (d *differ) objects(old, wanted map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if _, ok := wanted[name]; !ok {
			d.at(name, func() { d.step("remove", nil) })
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		value := wanted[name]
		d.at(name, func() {
			if before, ok := old[name]; ok {
				d.compare(before, value)
			} else {
				d.step("add", &value)
			}
		})
	}
}

// arrays changes what is between the ends that both have in common.
func (d *differ) arrays(old, wanted []any) {
	start := 0
	for start < min(len(old), len(wanted)) && d.same(old[start], wanted[start]) {
		start++
	}
	old, wanted = old[start:], wanted[start:]
	for len(old) > 0 && len(wanted) > 0 && d.same(old[len(old)-1], wanted[len(wanted)-1]) {
		old, wanted = old[:len(old)-1], wanted[:len(wanted)-1]
	}
	both := min(len(old), len(wanted))
	for i := range both {
		d.at(strconv.Itoa(start+i), func() { d.compare(old[i], wanted[i]) })
	}
	for i := len(old) - 1; i >= both; i-- { // from the end: a removal moves what follows
		d.at(strconv.Itoa(start+i), func() { d.step("remove", nil) })
	}
	for i := both; i < len(wanted); i++ {
		d.at(strconv.Itoa(start+i), func() { d.step("add", &wanted[i]) })
	}
}

// same reports whether two values are equal, as far as looks last: arrays in
// arrays would else be looked at once for each level. Values that are equal
// and are not found to be make the patch longer, not wrong.
func (d *differ) same(a, b any) bool {
	if d.looks--; d.looks < 0 {
		return false
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, d.same)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, d.same)
	}
	return isScalar(b) && a == b
}

func isScalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

// at does something one token down the path.
func (d *differ) at(token string, do func()) {
	if d.room < 0 {
		return
	}
	length := len(d.path)
	d.path = append(d.path, pointer(token)...)
	do()
	d.path = d.path[:length]
}

func (d *differ) step(op string, value *any) {
	if d.room -= len(d.path) + stepRoom; d.room < 0 {
		return
	}
	d.steps = append(d.steps, patchStep{op, string(d.path), value})
}
