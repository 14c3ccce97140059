package runstore

import (
	"context"
	"embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"

	"amend/engine"
	"amend/engine/plainjson"
	"amend/engine/revise"
)

//go:embed migrations
var migrations embed.FS

// application marks a database as amend's (SQLite's application_id): "amnd".
const application = 0x616d6e64

// The kinds of databases, by the folders of their migrations.
const (
	runSchema        = "run"
	feedbackSchema   = "feedback"
	statesSchema     = "states"
	evaluationSchema = "evaluation"
)

// database is an SQLite file of a run, open. It is not safe for concurrent use.
type database struct {
	path string
	conn *sqlite.Conn
}

// openDatabase opens the file for writing, makes it where there is none, brings its tables up to date and has SQLite
// check it. In WAL mode with synchronous FULL a transaction is on disk when it has been committed.
func openDatabase(path, schema string) (*database, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate|sqlite.OpenWAL)
	d := &database{path, conn}
	if err != nil {
		return nil, d.wrap("open", err)
	}
	if err := d.prepare(schema); err != nil {
		return nil, errors.Join(d.wrap("open", err), conn.Close())
	}
	return d, nil
}

func (d *database) prepare(kind string) error {
	for _, pragma := range []string{"PRAGMA synchronous = FULL", "PRAGMA temp_store = MEMORY"} {
		if err := sqlitex.ExecuteTransient(d.conn, pragma, nil); err != nil {
			return err
		}
	}
	if err := d.check(); err != nil { // before anything is written
		return err
	}
	schema, err := readSchema(kind)
	if err != nil {
		return err
	}
	return sqlitemigration.Migrate(context.Background(), d.conn, schema)
}

// readSchema is what brings a database of a kind, of any older version, to this one.
func readSchema(kind string) (sqlitemigration.Schema, error) {
	schema := sqlitemigration.Schema{AppID: application}
	for i := 1; ; i++ {
		text, err := migrations.ReadFile(fmt.Sprintf("migrations/%s/%d.sql", kind, i))
		if errors.Is(err, fs.ErrNotExist) {
			return schema, nil
		}
		if err != nil {
			return schema, err
		}
		schema.Migrations = append(schema.Migrations, string(text))
	}
}

// check has SQLite look through the file.
func (d *database) check() error {
	found := ""
	err := sqlitex.ExecuteTransient(d.conn, "PRAGMA quick_check(1)", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		found = s.ColumnText(0)
		return nil
	}})
	if err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, found)
	}
	return nil
}

var errDamaged = errors.New("the file is damaged")

// readDatabase opens the file to look at, also while another process writes to it.
func readDatabase(path string) (*database, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err == nil {
		d := &database{path, conn}
		if err = d.look(); err == nil {
			return d, nil
		}
		err = errors.Join(d.wrap("read", err), conn.Close())
	}
	// In a folder that cannot be written SQLite can open a database only as one that nobody changes.
	frozen, err2 := sqlite.OpenConn("file:"+escape(path)+"?immutable=1", sqlite.OpenReadOnly|sqlite.OpenURI)
	if err2 != nil {
		return nil, err
	}
	d := &database{path, frozen}
	if d.look() != nil {
		return nil, errors.Join(err, frozen.Close())
	}
	return d, nil
}

// look reads something, which is when SQLite opens the file.
func (d *database) look() error {
	return sqlitex.ExecuteTransient(d.conn, "SELECT count(*) FROM sqlite_schema", nil)
}

// escape is for paths in a URI.
func escape(path string) string {
	var out []byte
	for _, c := range []byte(path) {
		if c == '%' || c == '?' || c == '#' {
			out = fmt.Appendf(out, "%%%02X", c)
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

func (d *database) close() error { return d.conn.Close() }

// wrap says what was being done, and in words what people can do about the usual causes.
func (d *database) wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	remedy := ""
	switch code := sqlite.ErrCode(err); {
	case errors.Is(err, errDamaged), code.ToPrimary() == sqlite.ResultCorrupt, code.ToPrimary() == sqlite.ResultNotADB:
		remedy = "; restore it from a copy, or give another folder"
	case code.ToPrimary() == sqlite.ResultFull:
		remedy = "; the disk is full: make room, then the same command continues"
	case code.ToPrimary() == sqlite.ResultReadOnly, code.ToPrimary() == sqlite.ResultCantOpen:
		remedy = "; see that the folder and its files may be written"
	case code.ToPrimary() == sqlite.ResultIOErr:
		remedy = "; the disk refused it: see that it has room and works, then the same command continues"
	}
	return fmt.Errorf("%s %s: %w%s", doing, d.path, err, remedy)
}

// putRow adds a finished row.
func (d *database) putRow(rec revise.Record) error {
	var tokens []byte
	turns := slices.Clone(rec.Turns)
	for i := range turns {
		tokens = binary.LittleEndian.AppendUint32(tokens, uint32(len(turns[i].Tokens)))
		tokens = appendTokens(tokens, turns[i].Tokens)
		turns[i].Tokens = nil
	}
	rec.Turns = turns
	text, err := plainjson.Marshal(rec)
	if err != nil {
		return err
	}
	failed := 0
	if rec.Error != "" {
		failed = 1
	}
	return sqlitex.Execute(d.conn, "INSERT INTO rows (id, place, failed, record, tokens) VALUES (?, ?, ?, ?, ?)",
		&sqlitex.ExecOptions{Args: []any{rec.ID, rec.Index, failed, text, tokens}})
}

// appendTokens writes ids as 32-bit little-endian.
func appendTokens(b []byte, ids []engine.Token) []byte {
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	return b
}

// takeTokens reads n of them.
func takeTokens(b []byte, n int) (ids []engine.Token, rest []byte, err error) {
	if n < 0 || len(b) < 4*n {
		return nil, nil, fmt.Errorf("%w: %d token ids in %d bytes", errDamaged, n, len(b))
	}
	if n == 0 {
		return nil, b, nil
	}
	ids = make([]engine.Token, n)
	for i := range ids {
		ids[i] = engine.Token(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return ids, b[4*n:], nil
}

// ids gives every row's id.
func (d *database) ids() (map[string]bool, error) {
	done := map[string]bool{}
	err := sqlitex.Execute(d.conn, "SELECT id FROM rows", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		done[s.ColumnText(0)] = true
		return nil
	}})
	return done, err
}

// forget removes all rows, or those that failed. Their turns stay.
func (d *database) forget(onlyFailed bool) error {
	query := "DELETE FROM rows"
	if onlyFailed {
		query += " WHERE failed = 1"
	}
	return sqlitex.Execute(d.conn, query, nil)
}

// records gives the rows in the order of the prompts, one at a time.
func (d *database) records() iter.Seq2[revise.Record, error] {
	return func(yield func(revise.Record, error) bool) {
		stmt, _, err := d.conn.PrepareTransient("SELECT id, record, tokens FROM rows ORDER BY place, id")
		if err != nil {
			yield(revise.Record{}, d.wrap("read", err))
			return
		}
		defer func() { _ = stmt.Finalize() }() // reports the last step's error again
		for {
			more, err := stmt.Step()
			if err != nil {
				yield(revise.Record{}, d.wrap("read", err))
				return
			}
			if !more {
				return
			}
			rec, err := readRecord(stmt)
			if err != nil {
				err = d.wrap("read", err)
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

func readRecord(stmt *sqlite.Stmt) (rec revise.Record, err error) {
	text, tokens := column(stmt, 1), column(stmt, 2)
	if err := json.Unmarshal(text, &rec); err != nil {
		return rec, fmt.Errorf("%w: row %s: %w", errDamaged, stmt.ColumnText(0), err)
	}
	for i := range rec.Turns {
		if len(tokens) < 4 {
			return rec, fmt.Errorf("%w: row %s has %d turns, and token ids of %d", errDamaged, rec.ID, len(rec.Turns), i)
		}
		n := int(binary.LittleEndian.Uint32(tokens))
		if rec.Turns[i].Tokens, tokens, err = takeTokens(tokens[4:], n); err != nil {
			return rec, fmt.Errorf("row %s: %w", rec.ID, err)
		}
	}
	return rec, nil
}

// column is a copy of a blob.
func column(stmt *sqlite.Stmt, i int) []byte {
	b := make([]byte, stmt.ColumnLen(i))
	stmt.ColumnBytes(i, b)
	return b
}

// putTurn keeps a turn, in the place of one of the same key.
func (d *database) putTurn(key revise.Key, o revise.TurnResult) error {
	var logprob any
	if o.LogProb != nil {
		logprob = *o.LogProb
	}
	return sqlitex.Execute(d.conn, `INSERT INTO turns (key, tokens, text, ending, most, prompt, reused, decoded, logprob, scores)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET tokens = excluded.tokens, text = excluded.text,
		ending = excluded.ending, most = excluded.most, prompt = excluded.prompt, reused = excluded.reused,
		decoded = excluded.decoded, logprob = excluded.logprob, scores = excluded.scores`,
		&sqlitex.ExecOptions{Args: []any{key[:], appendTokens(nil, o.Tokens), []byte(o.Text), string(o.End), o.Limit, o.Prompt, o.Reused, o.Decoded, logprob, appendScores(o.Scores)}})
}

// appendScores writes numbers as 64-bit little-endian; none is NULL.
func appendScores(scores []float64) any {
	if scores == nil {
		return nil
	}
	var b []byte
	for _, v := range scores {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// takeScores reads them.
func takeScores(b []byte) (scores []float64) {
	for ; len(b) >= 8; b = b[8:] {
		scores = append(scores, math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	return scores
}

// turn finds a turn.
func (d *database) turn(key revise.Key) (o revise.TurnResult, ok bool, err error) {
	err = sqlitex.Execute(d.conn, "SELECT tokens, text, ending, most, prompt, reused, decoded, logprob, * FROM turns WHERE key = ?",
		&sqlitex.ExecOptions{Args: []any{key[:]}, ResultFunc: func(s *sqlite.Stmt) error {
			ok = true
			tokens := column(s, 0)
			if o.Tokens, _, err = takeTokens(tokens, len(tokens)/4); err != nil {
				return err
			}
			o.Text, o.End, o.Limit = string(column(s, 1)), engine.End(s.ColumnText(2)), s.ColumnInt(3)
			o.Prompt, o.Reused, o.Decoded = s.ColumnInt(4), s.ColumnInt(5), s.ColumnInt(6)
			if s.ColumnType(7) != sqlite.TypeNull {
				p := s.ColumnFloat(7)
				o.LogProb = &p
			}
			if i := s.ColumnIndex("scores"); i >= 0 { // a database that is only looked at may be of before there was one
				o.Scores = takeScores(column(s, i))
			}
			return nil
		}})
	return o, ok, err
}

func databasePath(dir string) string { return filepath.Join(dir, DatabaseFile) }
