package runstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"amend/engine/reward"
)

// StatesFile is the database of hidden states beside a run or labels.
const StatesFile = "states.db"

// States keeps hidden states of responses. It is not safe for concurrent use.
type States struct {
	lock *os.File
	data *database
}

// OpenStates opens them in a run directory, beside labels, or in a directory of their own, which it makes. Errors are as OpenFeedback's. The caller calls Close.
func OpenStates(dir string) (*States, error) {
	if err := prepareFeedback(dir); err != nil {
		return nil, err
	}
	lock, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	data, err := openDatabase(filepath.Join(dir, StatesFile), statesSchema)
	if err != nil {
		return nil, errors.Join(err, release(lock))
	}
	return &States{lock, data}, nil
}

// Get returns those of this key, if they are there, except for Tokens: who has the key's tokens can count them.
func (s *States) Get(key reward.Key) (f reward.Features, ok bool, err error) {
	err = sqlitex.Execute(s.data.conn, "SELECT last, mean FROM states WHERE key = ?",
		&sqlitex.ExecOptions{Args: []any{key[:]}, ResultFunc: func(stmt *sqlite.Stmt) error {
			ok = true
			last, mean := column(stmt, 0), column(stmt, 1)
			if len(last)%4 != 0 || len(last) != len(mean) {
				return fmt.Errorf("%w: hidden states of %d and %d bytes", errDamaged, len(last), len(mean))
			}
			f = reward.Features{Last: takeFloats(last), Mean: takeFloats(mean)}
			return nil
		}})
	return f, ok, s.data.wrap("read", err)
}

// Put keeps features.
func (s *States) Put(key reward.Key, f reward.Features) error {
	return s.data.wrap("write", sqlitex.Execute(s.data.conn, "INSERT INTO states (key, last, mean) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
		&sqlitex.ExecOptions{Args: []any{key[:], floatBytes(f.Last), floatBytes(f.Mean)}}))
}

// Close lets go of the directory.
func (s *States) Close() error { return errors.Join(s.data.close(), release(s.lock)) }

func floatBytes(in []float32) []byte {
	out := make([]byte, 0, 4*len(in))
	for _, v := range in {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

func takeFloats(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}
