package httpapi

import (
	"bytes"
	"encoding/json"
)

// mergePatch returns the JSON object target as the JSON object patch changes
// it (RFC 7396). Numbers keep their text. It is written here because what
// github.com/evanphx/json-patch does is not the RFC (it drops nulls from the
// objects of an array) and costs depth times size: a deep patch within the
// bound of a body took all memory.
func mergePatch(target, patch json.RawMessage) (json.RawMessage, error) {
	var object, change map[string]any
	if err := decodeExactly(target, &object); err != nil {
		return nil, err
	}
	if err := decodeExactly(patch, &change); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(merge(object, change)); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func decodeExactly(text json.RawMessage, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}

// merge changes target, which becomes an object where it is none.
func merge(target any, patch map[string]any) map[string]any {
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for name, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(object, name)
		case map[string]any:
			object[name] = merge(object[name], value)
		default:
			object[name] = value
		}
	}
	return object
}
