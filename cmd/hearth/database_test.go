package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// A script reads the tables also where nothing was copied.
func TestNoTablesAreAnEmptyObject(t *testing.T) {
	b, err := json.Marshal(salvagedOf(sqlite.Salvaged{}, ""))
	if err != nil || bytes.Contains(b, []byte("null")) {
		t.Errorf("%s, %v", b, err)
	}
}
