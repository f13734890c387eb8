package host

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestAFunctionGetsAnotherEnvironmentWhileItRuns(t *testing.T) {
	h := running(t, map[string]string{"PLACES": "home"}, nil)
	f := h.Functions()[0]
	if f.State != Sample {
		t.Fatalf("it is %s", f.State)
	}
	for _, vars := range []map[string]string{nil, {"OTHER_KEY": "k"}} {
		if err := h.Replace(f.Function, h.With(vars)); err == nil || !strings.Contains(err.Error(), "echo lacks MY_KEY") {
			t.Errorf("without its key: %v", err)
		}
	}
	block := f.Function
	block.Env = map[string]string{"PLACES": "cabin", "BROKEN": "1"}
	if err := h.Replace(block, h.With(map[string]string{"MY_KEY": "geheimnis"})); err == nil || strings.Contains(err.Error(), "geheimnis") {
		t.Errorf("a broken one: %v", err)
	}
	if a := ask(t, h); !a.Sample || a.Vars["PLACES"] != "sampleville" {
		t.Errorf("after errors: %+v", a)
	}
	delete(block.Env, "BROKEN")
	if err := h.Replace(block, h.With(map[string]string{"MY_KEY": "k"})); err != nil {
		t.Fatal(err)
	}
	if a := ask(t, h); a.Sample || !a.Key || a.Vars["PLACES"] != "cabin" {
		t.Errorf("after it: %+v", a)
	}
	if f := h.Functions()[0]; f.State != Live || len(f.Missing) != 0 || f.URL == nil {
		t.Errorf("it is %+v", f)
	}
}

func ask(t *testing.T, h *Host) (a echoed) {
	t.Helper()
	res, err := http.Post(h.Functions()[0].URL.String(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}
