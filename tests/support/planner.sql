-- Planner's tables as its facts describe them: Rails' conventions, hardly a foreign key.

CREATE TYPE dietary_restriction_enum AS ENUM (
    'vegan', 'vegetarian', 'pescetarian', 'halal', 'gluten_free', 'dairy_free', 'other'
);

CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
CREATE TABLE ar_internal_metadata (
    key varchar PRIMARY KEY, value varchar,
    created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);

CREATE TABLE members (
    id serial PRIMARY KEY, name varchar, surname varchar, pronouns varchar, email varchar,
    mobile varchar, about_you varchar,
    dietary_restrictions dietary_restriction_enum[] DEFAULT '{}', other_dietary_restrictions varchar,
    how_you_found_us integer, how_you_found_us_other_reason varchar,
    accepted_toc_at timestamp, opt_in_newsletter_at timestamp,
    received_coach_welcome_email boolean DEFAULT false,
    received_student_welcome_email boolean DEFAULT false, unsubscribed boolean,
    created_at timestamp, updated_at timestamp
);
CREATE UNIQUE INDEX ON members (email);
CREATE TABLE auth_services (
    id serial PRIMARY KEY, member_id integer, provider varchar, uid varchar,
    created_at timestamp, updated_at timestamp
);
CREATE UNIQUE INDEX ON auth_services (provider, uid);
CREATE TABLE tags (
    id serial PRIMARY KEY, name varchar, taggings_count integer DEFAULT 0,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE taggings (
    id serial PRIMARY KEY, tag_id integer, taggable_type varchar, taggable_id integer,
    tagger_type varchar, tagger_id integer, context varchar(128), created_at timestamp,
    tenant varchar(128)
);

CREATE TABLE chapters (
    id serial PRIMARY KEY, name varchar, email varchar, city varchar, description text,
    image varchar, slug varchar, active boolean DEFAULT true,
    time_zone varchar DEFAULT 'London' NOT NULL, created_at timestamp, updated_at timestamp
);
CREATE TABLE groups (
    id serial PRIMARY KEY, chapter_id integer, name varchar, description text,
    mailing_list_id varchar, created_at timestamp, updated_at timestamp
);
CREATE INDEX ON groups (chapter_id);
CREATE TABLE subscriptions (
    id serial PRIMARY KEY, group_id integer, member_id integer,
    created_at timestamp, updated_at timestamp
);
CREATE INDEX ON subscriptions (group_id);
CREATE INDEX ON subscriptions (member_id);
CREATE TABLE permissions (
    id serial PRIMARY KEY, name varchar, resource_type varchar, resource_id integer,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE members_permissions (member_id integer, permission_id integer);
CREATE INDEX ON members_permissions (member_id, permission_id);
CREATE TABLE roles (
    id serial PRIMARY KEY, name varchar, description varchar,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE members_roles (member_id integer, role_id integer);

CREATE TABLE sponsors (
    id serial PRIMARY KEY, name varchar, description text, accessibility_info text, avatar varchar,
    website varchar, seats integer DEFAULT 15, number_of_coaches integer, image_cache varchar,
    level integer DEFAULT 1 NOT NULL, created_at timestamp, updated_at timestamp
);
CREATE TABLE addresses (
    id serial PRIMARY KEY, flat varchar, street varchar, postal_code varchar, sponsor_id integer,
    city varchar, latitude varchar, longitude varchar, directions text,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE contacts (
    id serial PRIMARY KEY, sponsor_id integer, name varchar, surname varchar, email varchar,
    mailing_list_consent boolean DEFAULT false, token varchar DEFAULT '' NOT NULL, comment text,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE bans (
    id serial PRIMARY KEY, member_id integer, expires_at timestamp, reason varchar, note text,
    added_by_id integer, permanent boolean DEFAULT false, explanation text,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE member_notes (
    id serial PRIMARY KEY, member_id integer, author_id integer, note text,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE attendance_warnings (
    id serial PRIMARY KEY, member_id integer, sent_by_id integer,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE eligibility_inquiries (
    id serial PRIMARY KEY, member_id integer, sent_by_id integer,
    created_at timestamp, updated_at timestamp
);

CREATE TABLE workshops (
    id serial PRIMARY KEY, title varchar, description text, date_and_time timestamp,
    ends_at timestamp, chapter_id integer, invitable boolean DEFAULT true, sign_up_url varchar,
    rsvp_opens_at timestamp, rsvp_closes_at timestamp, virtual boolean DEFAULT false NOT NULL,
    slack_channel varchar, slack_channel_link varchar, coach_spaces integer DEFAULT 0,
    student_spaces integer DEFAULT 0, created_at timestamp, updated_at timestamp
);
CREATE INDEX ON workshops (chapter_id);
CREATE TABLE workshop_sponsors (
    id serial PRIMARY KEY, sponsor_id integer, workshop_id integer, host boolean DEFAULT false,
    created_at timestamp, updated_at timestamp
);
CREATE INDEX ON workshop_sponsors (workshop_id, host);
CREATE TABLE workshop_invitations (
    id serial PRIMARY KEY, workshop_id integer, member_id integer, attending boolean,
    attended boolean, note text, role varchar, token varchar, tutorial text,
    reminded_at timestamp, rsvp_time timestamp, automated_rsvp boolean,
    last_overridden_by_id integer, created_at timestamp, updated_at timestamp
);
CREATE INDEX ON workshop_invitations (workshop_id, attending);
CREATE INDEX ON workshop_invitations (member_id, attending);
CREATE INDEX ON workshop_invitations (token);
CREATE TABLE waiting_lists (
    id serial PRIMARY KEY, invitation_id integer, auto_rsvp boolean DEFAULT true,
    created_at timestamp, updated_at timestamp
);
CREATE INDEX ON waiting_lists (invitation_id);

CREATE TABLE invitation_logs (
    id bigserial PRIMARY KEY, loggable_type varchar NOT NULL, loggable_id bigint NOT NULL,
    initiator_id bigint REFERENCES members, chapter_id bigint, audience varchar NOT NULL,
    action varchar DEFAULT 'invite' NOT NULL, status varchar DEFAULT 'running' NOT NULL,
    total_invitees integer DEFAULT 0, success_count integer DEFAULT 0,
    failure_count integer DEFAULT 0, skipped_count integer DEFAULT 0,
    started_at timestamp(6), completed_at timestamp(6), error_message text,
    expires_at timestamp(6), created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
CREATE TABLE invitation_log_entries (
    id bigserial PRIMARY KEY, invitation_log_id bigint NOT NULL REFERENCES invitation_logs,
    member_id bigint NOT NULL, invitation_type varchar, invitation_id bigint,
    status varchar DEFAULT 'success' NOT NULL, failure_reason text, processed_at timestamp(6),
    created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
CREATE INDEX ON invitation_log_entries (invitation_log_id, status);
CREATE TABLE member_email_deliveries (
    id bigserial PRIMARY KEY, member_id bigint NOT NULL REFERENCES members, member_type varchar,
    subject text, body text, "to" text[] DEFAULT '{}', cc text[] DEFAULT '{}',
    bcc text[] DEFAULT '{}', created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
CREATE TABLE tutorials (
    id serial PRIMARY KEY, title varchar, description text, url varchar, workshop_id integer,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE feedbacks (
    id serial PRIMARY KEY, tutorial_id integer, request text, coach_id integer, suggestions text,
    rating integer, workshop_id integer, created_at timestamp, updated_at timestamp
);
CREATE TABLE feedback_requests (
    id serial PRIMARY KEY, member_id integer, workshop_id integer, token varchar,
    submited boolean, created_at timestamp, updated_at timestamp
);
CREATE INDEX ON feedback_requests (workshop_id);

-- What codebar has no room for.
CREATE TABLE announcements (
    id serial PRIMARY KEY, message text, expires_at timestamp, created_by_id integer,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE events (
    id serial PRIMARY KEY, name varchar, description text, date_and_time timestamp,
    ends_at timestamp, slug varchar, venue_id integer, created_at timestamp, updated_at timestamp
);
CREATE TABLE meetings (
    id serial PRIMARY KEY, name varchar, date_and_time timestamp, venue_id integer, slug varchar,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE testimonials (
    id serial PRIMARY KEY, member_id integer, text text, created_at timestamp, updated_at timestamp
);
CREATE TABLE activities (
    id serial PRIMARY KEY, trackable_id integer, trackable_type varchar, key varchar,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE delayed_jobs (
    id serial PRIMARY KEY, priority integer DEFAULT 0, attempts integer DEFAULT 0, handler text,
    created_at timestamp, updated_at timestamp
);
