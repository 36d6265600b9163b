-- What people may be granted at most, and by whom accounts are kept.
CREATE TABLE roles (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    -- Whether it came with the program: it can be neither renamed nor removed then.
    built_in      INTEGER NOT NULL CHECK (built_in IN (0, 1)),
    -- The most that its people can be granted; NULL where nothing was said, in roles from before there were ceilings.
    scope         TEXT,
    second_factor TEXT    NOT NULL CHECK (second_factor IN ('offered', 'required')),
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organizations (
    -- The value of the claim organization_id.
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    second_factor TEXT    NOT NULL CHECK (second_factor IN ('offered', 'required')),
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The clock of this step is that of the step before, which in a new database is the same.
INSERT INTO roles (id, name, built_in, scope, second_factor, created_at)
    SELECT column1, column2, 1, column3, 'offered', (SELECT max(applied_at) FROM migrations)
    FROM (VALUES
        ('role-builder-admin', 'Builder Admin',
         'openid profile email address phone fhirUser launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds __administration.read __administration.write'),
        ('role-care-team-user', 'Care Team User',
         'openid profile email address phone fhirUser launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds'),
        ('role-patient', 'Patient',
         'openid profile email address phone fhirUser launch/patient offline_access online_access patient/*.rs'));

-- A role was a name that gave and took nothing. It goes on so; one that happens to be called like a built-in role does not
-- become that.
INSERT INTO roles (id, name, built_in, scope, second_factor, created_at)
    SELECT 'role-' || lower(hex(randomblob(11))),
           CASE WHEN role IN (SELECT name FROM roles) THEN role || ' (before roles had ceilings)' ELSE role END,
           0, NULL, 'offered', (SELECT max(applied_at) FROM migrations)
    FROM (SELECT DISTINCT role FROM users WHERE role IS NOT NULL);

INSERT INTO organizations (id, name, second_factor, created_at)
    SELECT organization_id, organization_id, 'offered', (SELECT max(applied_at) FROM migrations)
    FROM (SELECT DISTINCT organization_id FROM users WHERE organization_id IS NOT NULL);

ALTER TABLE users ADD COLUMN role_id TEXT REFERENCES roles (id);
ALTER TABLE users ADD COLUMN user_type TEXT NOT NULL DEFAULT 'builder' CHECK (user_type IN ('builder', 'patient'));
UPDATE users SET role_id = (
    SELECT id FROM roles WHERE built_in = 0 AND name IN (users.role, users.role || ' (before roles had ceilings)')
) WHERE role IS NOT NULL;
UPDATE users SET user_type = 'patient' WHERE fhir_user LIKE 'Patient/%' OR fhir_user LIKE 'RelatedPerson/%';
ALTER TABLE users DROP COLUMN role;

CREATE INDEX users_by_role ON users (role_id) WHERE role_id IS NOT NULL;
CREATE INDEX users_by_organization ON users (organization_id) WHERE organization_id IS NOT NULL;
CREATE INDEX users_by_creation ON users (created_at, id);
CREATE INDEX sessions_by_id ON sessions (id);

-- People with their roles: what is read of a person is always read so.
CREATE VIEW people AS
    SELECT users.*, users.id AS user_id, roles.name AS role_name, roles.built_in AS role_built_in,
           roles.scope AS role_scope, roles.second_factor AS role_second_factor, roles.created_at AS role_created_at
    FROM users LEFT JOIN roles ON roles.id = users.role_id;

-- Who did it, where that is another than the person whom it is about; and what it is about, where that is no person.
ALTER TABLE audit_events ADD COLUMN actor_id TEXT;
ALTER TABLE audit_events ADD COLUMN object_id TEXT;
