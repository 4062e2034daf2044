-- What readers use of the projection `tickets`: the generation {schema}.
CREATE OR REPLACE VIEW desk.tickets AS SELECT * FROM {schema}.tickets;
CREATE OR REPLACE VIEW desk.ticket_versions AS SELECT * FROM {schema}.ticket_versions;
-- Every ticket at every time: at an instant, the rows with recorded_at <= instant < valid_to.
CREATE OR REPLACE VIEW desk.ticket_history AS
SELECT t.*, 'infinity'::timestamptz AS valid_to FROM {schema}.tickets t
UNION ALL
SELECT * FROM {schema}.ticket_versions;
CREATE OR REPLACE VIEW desk.descriptions AS SELECT * FROM {schema}.descriptions;
CREATE OR REPLACE VIEW desk.timeline AS SELECT * FROM {schema}.timeline;
CREATE OR REPLACE VIEW desk.ticket_texts AS SELECT * FROM {schema}.ticket_texts;
CREATE OR REPLACE VIEW desk.ticket_timers AS SELECT * FROM {schema}.ticket_timers;
CREATE OR REPLACE VIEW desk.ticket_clocks AS SELECT * FROM {schema}.ticket_clocks;
CREATE OR REPLACE VIEW desk.measures AS SELECT * FROM {schema}.measures;
CREATE OR REPLACE VIEW desk.measure_counts AS SELECT * FROM {schema}.measure_counts;
CREATE OR REPLACE VIEW desk.counters AS SELECT * FROM {schema}.counters;
CREATE OR REPLACE VIEW desk.daily AS SELECT * FROM {schema}.daily;
CREATE OR REPLACE VIEW desk.daily_ratings AS SELECT * FROM {schema}.daily_ratings;
