-- With signed messages (docs/ws-security.md) the role needs the table ws_security_replay too: the page has its SQL.
-- The role that the gateways use: they read and add, and cannot change or remove. For a database whose tables
-- `ssbtek-gateway audit migrate` has made, as their owner.
--
--     psql -v password="$(cat FILE)" -f audit-role.sql DATABASE
CREATE ROLE ssbtek LOGIN PASSWORD :'password';
GRANT SELECT, INSERT ON audit, audit_writer TO ssbtek;
GRANT SELECT ON alembic_version, audit_checkpoint TO ssbtek;
GRANT USAGE ON SEQUENCE audit_id_seq, audit_writer_id_seq TO ssbtek;
