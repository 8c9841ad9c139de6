/* What the API says about accounts, and takes. Tables only; no IO. Private to account/. */
#ifndef WEIR_CONTROLLER_ACCOUNT_ACCOUNT_SHAPES_H
#define WEIR_CONTROLLER_ACCOUNT_ACCOUNT_SHAPES_H

#include "common/fields.h"
#include "controller/account/password.h"
#include "controller/account/token.h"

enum { ABOUT_MAX = 4000, DISPLAY_NAME_BYTES = 64 };

#define ACCOUNT_ROLE_MAP(X)                                                                        \
    X(ACCOUNT_USER, "user", "")                                                                    \
    X(ACCOUNT_MODERATOR, "moderator", "")                                                          \
    X(ACCOUNT_ADMIN, "admin", "")
CHOICE_ENUM(account_role, ACCOUNT_ROLE_MAP);

/* ---- in ---- */

#define REGISTER_BODY_FIELDS(X, S)                                                                 \
    X(S, str, username, "username", REQ, 3, 32, _,                                                 \
      "Letters a to z, digits, - and _, a letter or digit first; large letters become small.")     \
    X(S, str, password, "password", REQ, PASSWORD_MIN, PASSWORD_MAX, _, "Secret.")                 \
    X(S, str, display_name, "displayName", OPT, 0, DISPLAY_NAME_BYTES, _, "What others see.")
SHAPE_STRUCT(register_body, REGISTER_BODY_FIELDS);

#define LOGIN_BODY_FIELDS(X, S)                                                                    \
    X(S, str, username, "username", REQ, 1, 64, _, "In any case.")                                 \
    X(S, str, password, "password", REQ, 1, PASSWORD_MAX, _, "Its password.")
SHAPE_STRUCT(login_body, LOGIN_BODY_FIELDS);

#define LOGOUT_BODY_FIELDS(X, S)                                                                   \
    X(S, flag, everywhere, "everywhere", OPT, 0, 0, _, "End all sessions of the user.")
SHAPE_STRUCT(logout_body, LOGOUT_BODY_FIELDS);

#define PASSWORD_BODY_FIELDS(X, S)                                                                 \
    X(S, str, current_password, "currentPassword", REQ, 1, PASSWORD_MAX, _, "As it is.")           \
    X(S, str, new_password, "newPassword", REQ, PASSWORD_MIN, PASSWORD_MAX, _, "As it is to be.")
SHAPE_STRUCT(password_body, PASSWORD_BODY_FIELDS);

#define PROFILE_BODY_FIELDS(X, S)                                                                  \
    X(S, str, display_name, "displayName", OPT, 1, DISPLAY_NAME_BYTES, _, "What others see.")      \
    X(S, str, about, "about", OPT, 0, ABOUT_MAX, _, "Some words about oneself; plain text.")
SHAPE_STRUCT(profile_body, PROFILE_BODY_FIELDS);

#define NEW_USER_BODY_FIELDS(X, S)                                                                 \
    REGISTER_BODY_FIELDS(X, S)                                                                     \
    X(S, choice, role, "role", OPT, 0, 0, account_role_names, "user if left out.")
SHAPE_STRUCT(new_user_body, NEW_USER_BODY_FIELDS);

#define RIGHTS_BODY_FIELDS(X, S)                                                                   \
    X(S, choice, role, "role", OPT, 0, 0, account_role_names, "What the user may.")                \
    X(S, flag, disabled, "disabled", OPT, 0, 0, _, "May not log in; all sessions end.")            \
    X(S, str, password, "password", OPT, PASSWORD_MIN, PASSWORD_MAX, _,                            \
      "A new one, which the user has to change at the next log-in; all sessions end.")
SHAPE_STRUCT(rights_body, RIGHTS_BODY_FIELDS);

/* ---- out ---- */

#define PROFILE_FIELDS(X, S)                                                                       \
    X(S, str, id, "id", REQ, 36, 36, _, "Of the user.")                                            \
    X(S, str, username, "username", REQ, 3, 32, _, "Unique.")                                      \
    X(S, str, display_name, "displayName", REQ, 0, DISPLAY_NAME_BYTES, _, "What others see.")      \
    X(S, str, about, "about", REQ, 0, ABOUT_MAX, _, "Some words; plain text.")                     \
    X(S, choice, role, "role", REQ, 0, 0, account_role_names, "What the user may.")                \
    X(S, i64, created_at, "createdAt", REQ, 0, INT64_MAX, _, "Milliseconds since 1970 UTC.")
SHAPE_STRUCT(profile, PROFILE_FIELDS);

#define PROFILE_ANSWER_FIELDS(X, S) X(S, obj, user, "user", REQ, 0, 0, profile, "The user.")
SHAPE_STRUCT(profile_answer, PROFILE_ANSWER_FIELDS);

#define ACCOUNT_FIELDS(X, S)                                                                       \
    PROFILE_FIELDS(X, S)                                                                           \
    X(S, flag, must_change_password, "mustChangePassword", REQ, 0, 0, _,                           \
      "Nothing else is possible before: POST /api/account/password.")                              \
    X(S, flag, disabled, "disabled", REQ, 0, 0, _, "May not log in.")
SHAPE_STRUCT(account, ACCOUNT_FIELDS);

#define ACCOUNT_ANSWER_FIELDS(X, S) X(S, obj, user, "user", REQ, 0, 0, account, "The user.")
SHAPE_STRUCT(account_answer, ACCOUNT_ANSWER_FIELDS);

#define ACCOUNTS_ANSWER_FIELDS(X, S) X(S, objs, users, "users", REQ, 0, 200, account, "By name.")
SHAPE_STRUCT(accounts_answer, ACCOUNTS_ANSWER_FIELDS);

#define SESSION_ANSWER_FIELDS(X, S)                                                                \
    X(S, str, token, "token", REQ, 1, TOKEN_MAX, _,                                                \
      "For Authorization: Bearer. Also set as a cookie, which is what pages use.")                 \
    X(S, i64, expires_at, "expiresAt", REQ, 0, INT64_MAX, _, "Milliseconds since 1970 UTC.")       \
    X(S, obj, user, "user", REQ, 0, 0, account, "Whose it is.")
SHAPE_STRUCT(session_answer, SESSION_ANSWER_FIELDS);

#endif
