//go:build !unix

package dotenv

import "sync"

var folders sync.Mutex

// lockFolder keeps only this process from changing two files at the same time.
func lockFolder(string) (unlock func(), err error) {
	folders.Lock()
	return folders.Unlock, nil
}
