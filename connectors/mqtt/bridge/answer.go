package bridge

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/hearth-home/hearth/shared/wire"
)

// verdict is what an answer means for the messages of a call.
type verdict int

const (
	stored   verdict = iota // all of them
	parted                  // 207: some rejected, some to come again, the rest stored
	never                   // another 4xx: will not be taken, ever
	away                    // gateway, function or store is away: the whole again, later
	tooLarge                // 413: halve
	failed                  // 500, 502, no answer in time: perhaps one message is the cause
)

// maxReason is what is kept of an answer until it is redacted and cut.
const maxReason = 4 << 10

// judge reads an answer (design: "Connector -> function"). err is the error of
// a call that got none.
func judge(code int, body []byte, err error) (verdict, wire.Answer, string) {
	var a wire.Answer
	if err != nil {
		if isTimeout(err) {
			return failed, a, "no answer in time"
		}
		return away, a, err.Error()
	}
	reason := fmt.Sprintf("answered %d: %s", code, body[:min(len(body), maxReason)])
	switch {
	case code == http.StatusMultiStatus:
		if err := json.Unmarshal(body, &a); err != nil {
			return failed, a, "with something else than JSON: " + reason
		}
		return parted, a, reason
	case code/100 == 2:
		_ = json.Unmarshal(body, &a) // a plain function may answer anything
		return stored, wire.Answer{Stored: a.Stored, Replay: a.Replay}, reason
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusNotFound,
		code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		return away, a, reason
	case code == http.StatusRequestEntityTooLarge:
		return tooLarge, a, reason
	case code/100 == 4:
		return never, a, reason
	default:
		return failed, a, reason
	}
}
