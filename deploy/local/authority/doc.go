// Package authority is who a secure local stack, and the tests on it, trust: it signs certificates for this machine, and tokens for Pulsar's roles. What it
// makes lies in one folder and stays, so that a part that starts again is trusted as before.
package authority
