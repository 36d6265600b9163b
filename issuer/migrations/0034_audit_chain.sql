-- Each line of the audit trail with a digest over it and over the line before it, and with what it changed.

ALTER TABLE audit_events ADD COLUMN changes TEXT CHECK (json_type(changes) = 'array');
-- NULL only until the end of the transaction that adds the line.
ALTER TABLE audit_events ADD COLUMN digest BLOB CHECK (length(digest) = 32);

DROP TRIGGER audit_events_are_never_changed;
CREATE TRIGGER audit_events_are_never_changed BEFORE UPDATE ON audit_events WHEN OLD.digest IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'audit events are never changed');
END;

-- The key of the digests, sealed under the master key.
CREATE TABLE audit_keys (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed BLOB    NOT NULL
) STRICT;

-- Where the trail begins since its oldest lines were retired: the last of them, and its digest.
CREATE TABLE audit_retention (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    through_id INTEGER NOT NULL,
    digest     BLOB    NOT NULL CHECK (length(digest) = 32)
) STRICT;

CREATE TRIGGER audit_events_go_when_they_are_retired BEFORE DELETE ON audit_events
WHEN OLD.id > ifnull((SELECT through_id FROM audit_retention), 0)
BEGIN
    SELECT RAISE(ABORT, 'audit events are never removed');
END;

-- What the present transaction has changed of what administrators settle, until its audit event takes it. Empty between
-- transactions. No secret is noted, nor what changes with use.
CREATE TABLE audit_changes (
    number INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL,
    id     TEXT NOT NULL,
    before TEXT CHECK (json_type(before) = 'object'),
    after  TEXT CHECK (json_type(after) = 'object')
) STRICT;

CREATE TRIGGER users_are_noted_when_made AFTER INSERT ON users
BEGIN
    INSERT INTO audit_changes (kind, id, after)
    VALUES ('user', NEW.id,
        json_object(
            'email', NEW.email, 'name', NEW.name, 'userType', NEW.user_type, 'roleId', NEW.role_id,
            'organizationId', NEW.organization_id, 'fhirUser', NEW.fhir_user,
            'practitionerId', NEW.practitioner_id, 'profile', json(NEW.profile),
            'deactivatedAt', NEW.deactivated_at, 'localSignIn', NEW.local_sign_in));
END;

CREATE TRIGGER users_are_noted_when_changed AFTER UPDATE OF email, name, user_type, role_id, organization_id, fhir_user, practitioner_id, profile,
    deactivated_at, local_sign_in
ON users
BEGIN
    INSERT INTO audit_changes (kind, id, before, after)
    VALUES ('user', NEW.id,
        json_object(
            'email', OLD.email, 'name', OLD.name, 'userType', OLD.user_type, 'roleId', OLD.role_id,
            'organizationId', OLD.organization_id, 'fhirUser', OLD.fhir_user,
            'practitionerId', OLD.practitioner_id, 'profile', json(OLD.profile),
            'deactivatedAt', OLD.deactivated_at, 'localSignIn', OLD.local_sign_in),
        json_object(
            'email', NEW.email, 'name', NEW.name, 'userType', NEW.user_type, 'roleId', NEW.role_id,
            'organizationId', NEW.organization_id, 'fhirUser', NEW.fhir_user,
            'practitionerId', NEW.practitioner_id, 'profile', json(NEW.profile),
            'deactivatedAt', NEW.deactivated_at, 'localSignIn', NEW.local_sign_in));
END;

CREATE TRIGGER users_are_noted_when_removed AFTER DELETE ON users
BEGIN
    INSERT INTO audit_changes (kind, id, before)
    VALUES ('user', OLD.id,
        json_object(
            'email', OLD.email, 'name', OLD.name, 'userType', OLD.user_type, 'roleId', OLD.role_id,
            'organizationId', OLD.organization_id, 'fhirUser', OLD.fhir_user,
            'practitionerId', OLD.practitioner_id, 'profile', json(OLD.profile),
            'deactivatedAt', OLD.deactivated_at, 'localSignIn', OLD.local_sign_in));
END;

CREATE TRIGGER roles_are_noted_when_made AFTER INSERT ON roles
BEGIN
    INSERT INTO audit_changes (kind, id, after)
    VALUES ('role', NEW.id,
        json_object(
            'name', NEW.name, 'scope', NEW.scope, 'secondFactor', NEW.second_factor));
END;

CREATE TRIGGER roles_are_noted_when_changed AFTER UPDATE OF name, scope, second_factor
ON roles
BEGIN
    INSERT INTO audit_changes (kind, id, before, after)
    VALUES ('role', NEW.id,
        json_object(
            'name', OLD.name, 'scope', OLD.scope, 'secondFactor', OLD.second_factor),
        json_object(
            'name', NEW.name, 'scope', NEW.scope, 'secondFactor', NEW.second_factor));
END;

CREATE TRIGGER roles_are_noted_when_removed AFTER DELETE ON roles
BEGIN
    INSERT INTO audit_changes (kind, id, before)
    VALUES ('role', OLD.id,
        json_object(
            'name', OLD.name, 'scope', OLD.scope, 'secondFactor', OLD.second_factor));
END;

CREATE TRIGGER organizations_are_noted_when_made AFTER INSERT ON organizations
BEGIN
    INSERT INTO audit_changes (kind, id, after)
    VALUES ('organization', NEW.id,
        json_object(
            'name', NEW.name, 'secondFactor', NEW.second_factor));
END;

CREATE TRIGGER organizations_are_noted_when_changed AFTER UPDATE OF name, second_factor
ON organizations
BEGIN
    INSERT INTO audit_changes (kind, id, before, after)
    VALUES ('organization', NEW.id,
        json_object(
            'name', OLD.name, 'secondFactor', OLD.second_factor),
        json_object(
            'name', NEW.name, 'secondFactor', NEW.second_factor));
END;

CREATE TRIGGER organizations_are_noted_when_removed AFTER DELETE ON organizations
BEGIN
    INSERT INTO audit_changes (kind, id, before)
    VALUES ('organization', OLD.id,
        json_object(
            'name', OLD.name, 'secondFactor', OLD.second_factor));
END;

CREATE TRIGGER clients_are_noted_when_made AFTER INSERT ON clients
BEGIN
    INSERT INTO audit_changes (kind, id, after)
    VALUES ('client', NEW.client_id,
        json_object(
            'name', NEW.name, 'grantTypes', json(NEW.grant_types), 'redirectUris', json(NEW.redirect_uris),
            'postLogoutRedirectUris', json(NEW.post_logout_redirect_uris), 'scope', NEW.scope,
            'pkceRequired', NEW.pkce_required, 'pushRequired', NEW.push_required, 'jwks', json(NEW.jwks),
            'jwksUri', NEW.jwks_uri, 'metadata', json(NEW.metadata)));
END;

CREATE TRIGGER clients_are_noted_when_changed AFTER UPDATE OF name, grant_types, redirect_uris, post_logout_redirect_uris, scope, pkce_required, push_required,
    jwks, jwks_uri, metadata
ON clients
BEGIN
    INSERT INTO audit_changes (kind, id, before, after)
    VALUES ('client', NEW.client_id,
        json_object(
            'name', OLD.name, 'grantTypes', json(OLD.grant_types), 'redirectUris', json(OLD.redirect_uris),
            'postLogoutRedirectUris', json(OLD.post_logout_redirect_uris), 'scope', OLD.scope,
            'pkceRequired', OLD.pkce_required, 'pushRequired', OLD.push_required, 'jwks', json(OLD.jwks),
            'jwksUri', OLD.jwks_uri, 'metadata', json(OLD.metadata)),
        json_object(
            'name', NEW.name, 'grantTypes', json(NEW.grant_types), 'redirectUris', json(NEW.redirect_uris),
            'postLogoutRedirectUris', json(NEW.post_logout_redirect_uris), 'scope', NEW.scope,
            'pkceRequired', NEW.pkce_required, 'pushRequired', NEW.push_required, 'jwks', json(NEW.jwks),
            'jwksUri', NEW.jwks_uri, 'metadata', json(NEW.metadata)));
END;

CREATE TRIGGER clients_are_noted_when_removed AFTER DELETE ON clients
BEGIN
    INSERT INTO audit_changes (kind, id, before)
    VALUES ('client', OLD.client_id,
        json_object(
            'name', OLD.name, 'grantTypes', json(OLD.grant_types), 'redirectUris', json(OLD.redirect_uris),
            'postLogoutRedirectUris', json(OLD.post_logout_redirect_uris), 'scope', OLD.scope,
            'pkceRequired', OLD.pkce_required, 'pushRequired', OLD.push_required, 'jwks', json(OLD.jwks),
            'jwksUri', OLD.jwks_uri, 'metadata', json(OLD.metadata)));
END;

CREATE TRIGGER api_keys_are_noted_when_made AFTER INSERT ON api_keys
BEGIN
    INSERT INTO audit_changes (kind, id, after)
    VALUES ('api_key', NEW.id,
        json_object(
            'name', NEW.name, 'scope', NEW.scope, 'expiresAt', NEW.expires_at,
            'previousUntil', NEW.previous_until, 'revokedAt', NEW.revoked_at));
END;

CREATE TRIGGER api_keys_are_noted_when_changed AFTER UPDATE OF name, scope, expires_at, previous_until, revoked_at
ON api_keys
BEGIN
    INSERT INTO audit_changes (kind, id, before, after)
    VALUES ('api_key', NEW.id,
        json_object(
            'name', OLD.name, 'scope', OLD.scope, 'expiresAt', OLD.expires_at,
            'previousUntil', OLD.previous_until, 'revokedAt', OLD.revoked_at),
        json_object(
            'name', NEW.name, 'scope', NEW.scope, 'expiresAt', NEW.expires_at,
            'previousUntil', NEW.previous_until, 'revokedAt', NEW.revoked_at));
END;

CREATE TRIGGER api_keys_are_noted_when_removed AFTER DELETE ON api_keys
BEGIN
    INSERT INTO audit_changes (kind, id, before)
    VALUES ('api_key', OLD.id,
        json_object(
            'name', OLD.name, 'scope', OLD.scope, 'expiresAt', OLD.expires_at,
            'previousUntil', OLD.previous_until, 'revokedAt', OLD.revoked_at));
END;

CREATE TRIGGER sso_connections_are_noted_when_made AFTER INSERT ON sso_connections
BEGIN
    INSERT INTO audit_changes (kind, id, after)
    VALUES ('sso_connection', NEW.id,
        json_object(
            'name', NEW.name, 'preset', NEW.preset, 'issuer', NEW.issuer, 'clientId', NEW.client_id,
            'clientAuthentication', NEW.client_authentication, 'scopes', json(NEW.scopes),
            'requiredAmr', json(NEW.required_amr), 'requiredAcr', json(NEW.required_acr),
            'unknownPeople', NEW.unknown_people, 'defaultRole', NEW.default_role,
            'roleRules', json(NEW.role_rules), 'grantsAdministration', NEW.grants_administration,
            'mfaAttestedAt', NEW.mfa_attested_at, 'mfaAttestedBy', NEW.mfa_attested_by,
            'enabled', NEW.enabled));
END;

CREATE TRIGGER sso_connections_are_noted_when_changed AFTER UPDATE OF name, preset, issuer, client_id, client_authentication, scopes, required_amr, required_acr,
    unknown_people, default_role, role_rules, grants_administration, mfa_attested_at, mfa_attested_by,
    enabled
ON sso_connections
BEGIN
    INSERT INTO audit_changes (kind, id, before, after)
    VALUES ('sso_connection', NEW.id,
        json_object(
            'name', OLD.name, 'preset', OLD.preset, 'issuer', OLD.issuer, 'clientId', OLD.client_id,
            'clientAuthentication', OLD.client_authentication, 'scopes', json(OLD.scopes),
            'requiredAmr', json(OLD.required_amr), 'requiredAcr', json(OLD.required_acr),
            'unknownPeople', OLD.unknown_people, 'defaultRole', OLD.default_role,
            'roleRules', json(OLD.role_rules), 'grantsAdministration', OLD.grants_administration,
            'mfaAttestedAt', OLD.mfa_attested_at, 'mfaAttestedBy', OLD.mfa_attested_by,
            'enabled', OLD.enabled),
        json_object(
            'name', NEW.name, 'preset', NEW.preset, 'issuer', NEW.issuer, 'clientId', NEW.client_id,
            'clientAuthentication', NEW.client_authentication, 'scopes', json(NEW.scopes),
            'requiredAmr', json(NEW.required_amr), 'requiredAcr', json(NEW.required_acr),
            'unknownPeople', NEW.unknown_people, 'defaultRole', NEW.default_role,
            'roleRules', json(NEW.role_rules), 'grantsAdministration', NEW.grants_administration,
            'mfaAttestedAt', NEW.mfa_attested_at, 'mfaAttestedBy', NEW.mfa_attested_by,
            'enabled', NEW.enabled));
END;

CREATE TRIGGER sso_connections_are_noted_when_removed AFTER DELETE ON sso_connections
BEGIN
    INSERT INTO audit_changes (kind, id, before)
    VALUES ('sso_connection', OLD.id,
        json_object(
            'name', OLD.name, 'preset', OLD.preset, 'issuer', OLD.issuer, 'clientId', OLD.client_id,
            'clientAuthentication', OLD.client_authentication, 'scopes', json(OLD.scopes),
            'requiredAmr', json(OLD.required_amr), 'requiredAcr', json(OLD.required_acr),
            'unknownPeople', OLD.unknown_people, 'defaultRole', OLD.default_role,
            'roleRules', json(OLD.role_rules), 'grantsAdministration', OLD.grants_administration,
            'mfaAttestedAt', OLD.mfa_attested_at, 'mfaAttestedBy', OLD.mfa_attested_by,
            'enabled', OLD.enabled));
END;

CREATE TRIGGER sso_domains_are_noted_when_made AFTER INSERT ON sso_domains
BEGIN
    INSERT INTO audit_changes (kind, id, after)
    VALUES ('sso_domain', NEW.connection_id || ' ' || NEW.domain,
        json_object(
            'verifiedAt', NEW.verified_at, 'verifiedBy', NEW.verified_by));
END;

CREATE TRIGGER sso_domains_are_noted_when_changed AFTER UPDATE OF verified_at, verified_by
ON sso_domains
BEGIN
    INSERT INTO audit_changes (kind, id, before, after)
    VALUES ('sso_domain', NEW.connection_id || ' ' || NEW.domain,
        json_object(
            'verifiedAt', OLD.verified_at, 'verifiedBy', OLD.verified_by),
        json_object(
            'verifiedAt', NEW.verified_at, 'verifiedBy', NEW.verified_by));
END;

CREATE TRIGGER sso_domains_are_noted_when_removed AFTER DELETE ON sso_domains
BEGIN
    INSERT INTO audit_changes (kind, id, before)
    VALUES ('sso_domain', OLD.connection_id || ' ' || OLD.domain,
        json_object(
            'verifiedAt', OLD.verified_at, 'verifiedBy', OLD.verified_by));
END;

CREATE TRIGGER registration_tokens_are_noted_when_made AFTER INSERT ON registration_tokens
BEGIN
    INSERT INTO audit_changes (kind, id, after)
    VALUES ('registration_token', NEW.id,
        json_object(
            'description', NEW.description, 'scope', NEW.scope, 'grantTypes', json(NEW.grant_types),
            'expiresAt', NEW.expires_at));
END;

CREATE TRIGGER registration_tokens_are_noted_when_changed AFTER UPDATE OF description, scope, grant_types, expires_at
ON registration_tokens
BEGIN
    INSERT INTO audit_changes (kind, id, before, after)
    VALUES ('registration_token', NEW.id,
        json_object(
            'description', OLD.description, 'scope', OLD.scope, 'grantTypes', json(OLD.grant_types),
            'expiresAt', OLD.expires_at),
        json_object(
            'description', NEW.description, 'scope', NEW.scope, 'grantTypes', json(NEW.grant_types),
            'expiresAt', NEW.expires_at));
END;

CREATE TRIGGER registration_tokens_are_noted_when_removed AFTER DELETE ON registration_tokens
BEGIN
    INSERT INTO audit_changes (kind, id, before)
    VALUES ('registration_token', OLD.id,
        json_object(
            'description', OLD.description, 'scope', OLD.scope, 'grantTypes', json(OLD.grant_types),
            'expiresAt', OLD.expires_at));
END;
