package postgres

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// A state that does not contain the change must not be taken for the row: what it lacks would be lost for ever.
func TestOnlyAStateThatContainsTheChangeIsGiven(t *testing.T) {
	t.Parallel()
	const epoch = 3 << 32
	for name, c := range map[string]struct {
		server        *server
		id            uint64
		class, reason string // "" for none
	}{
		"ended":                             {&server{snapshot: "900:1000:"}, 999, "", ""},
		"running":                           {&server{snapshot: "900:1000:950,999"}, 999, "retry", ReasonBehind},
		"ended beside a running one":        {&server{snapshot: "900:1000:950,998"}, 999, "", ""},
		"the newest, not seen":              {&server{snapshot: "999:999:", status: "in progress"}, 999, "retry", ReasonBehind},
		"committed since":                   {&server{snapshot: "999:999:", status: "committed"}, 999, "retry", ReasonBehind},
		"of a database before its restore":  {&server{snapshot: "900:1000:"}, 5000, "", ""},
		"ids have come round":               {&server{snapshot: "12884902788:12884902888:12884902887"}, 999, "retry", ReasonBehind},
		"from before they came round":       {&server{snapshot: "12884901900:12884901900:"}, 1<<32 - 2, "", ""},
		"running, from before":              {&server{snapshot: "12884901886:12884901900:12884901886"}, 1<<32 - 2, "retry", ReasonBehind},
		"whole id":                          {&server{snapshot: "12884902788:12884902888:12884902887"}, epoch + 999, "retry", ReasonBehind},
		"standby has it":                    {&server{standby: true, snapshot: "1000:1000:"}, 999, "", ""},
		"standby lags":                      {&server{standby: true, snapshot: "990:990:"}, 999, "retry", ReasonBehind},
		"standby does not list the running": {&server{standby: true, snapshot: "990:1000:"}, 999, "retry", ReasonBehind},
		"standby, nothing told":             {&server{standby: true}, 0, "halt", ReasonStandby},
		"nothing told":                      {&server{}, 0, "poison", ReasonRefused},
	} {
		for _, columns := range [][]string{{"body"}, nil} { // a row that is not there may be one that cannot be seen yet
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := &server{standby: c.server.standby, snapshot: c.server.snapshot, status: c.server.status, columns: columns}
				change := update()
				change.TxID = c.id
				_, found, err := open(t, s).Fetch(t.Context(), change, byID(int64(7)), []string{"body"})
				if c.class != "" {
					requireFault(t, err, c.class, c.reason)
					return
				}
				require.NoError(t, err)
				require.Equal(t, columns != nil, found)
			})
		}
	}
}

func TestRowsOfASnapshotNeedNoTransaction(t *testing.T) {
	t.Parallel()
	change := update()
	change.TxID, change.Snapshot = 0, connector.Initial
	_, found, err := open(t, &server{columns: []string{"body"}}).Fetch(t.Context(), change, byID(int64(7)), []string{"body"})
	require.NoError(t, err)
	require.True(t, found)
	_, _, err = open(t, &server{columns: []string{"body"}, standby: true}).Fetch(t.Context(), change, byID(int64(7)), []string{"body"})
	requireFault(t, err, "halt", ReasonStandby)
	require.ErrorContains(t, err, "userConfig.postgres.url")
}

func TestSnapshotsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "1", "1:2", "a:2:", "1:2:x", "-1:2:"} {
		_, err := parseSnapshot(text)
		require.Error(t, err, text)
	}
}
