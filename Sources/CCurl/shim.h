#pragma once
#include <curl/curl.h>

// curl_easy_setopt and curl_easy_getinfo take variable arguments, which Swift cannot pass: one function a kind of argument.

static inline CURLcode kith_curl_set_number(CURL *handle, CURLoption option, long value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode kith_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value)
{
    return curl_easy_setopt(handle, option, value);
}

/// libcurl copies the text.
static inline CURLcode kith_curl_set_text(CURL *handle, CURLoption option, const char *value)
{
    return curl_easy_setopt(handle, option, value);
}

/// Bytes, lists and contexts: libcurl keeps the pointer.
static inline CURLcode kith_curl_set_pointer(CURL *handle, CURLoption option, const void *value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode kith_curl_set_writer(CURL *handle, curl_write_callback value)
{
    return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, value);
}

static inline CURLcode kith_curl_set_progress(CURL *handle, curl_xferinfo_callback value)
{
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}

static inline CURLcode kith_curl_set_socket_opener(CURL *handle, curl_opensocket_callback value)
{
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, value);
}

/// 0 where libcurl does not know.
static inline long kith_curl_number(CURL *handle, CURLINFO information)
{
    long value = 0;
    return curl_easy_getinfo(handle, information, &value) == CURLE_OK ? value : 0;
}

/// 0 where libcurl does not know.
static inline curl_off_t kith_curl_offset(CURL *handle, CURLINFO information)
{
    curl_off_t value = 0;
    return curl_easy_getinfo(handle, information, &value) == CURLE_OK ? value : 0;
}
