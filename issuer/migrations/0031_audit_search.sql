-- The search of the audit trail. Token requests insert here, so each index must be cheap to add to: both grow at their end.
-- An index by person or client costs three to four times as much an insert; instead a search reads on from where it is in
-- time, and only so many lines at once.
CREATE INDEX audit_events_by_time ON audit_events (at);
CREATE INDEX audit_failures_by_time ON audit_events (at) WHERE outcome = 'failure';
